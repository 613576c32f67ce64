import { type Expression, isList, print } from '../sbpl/expression.ts'
import { type Subject, subjectsOf } from './operations.ts'

/** One act of a process, as the kernel asks Seatbelt about it. */
export interface Attempt {
  /** One operation, without a `*`. */
  readonly operation: string
  /** The file, by the path that the kernel has for it: no links, no dots. */
  readonly path?: string
  /** What the file is: `REGULAR-FILE`, `CHARACTER-DEVICE`. */
  readonly vnodeType?: string
  /** The name of the sysctl, the service, or the system call (`SYS_open`). */
  readonly name?: string
  /** Which process it is about. */
  readonly target?: 'self' | 'others'
}

/** Whether an act is one of those that a filter stands for. */
export type Filter = (attempt: Attempt) => boolean

type Parameters = Readonly<Record<string, string>>

/**
 * Reads one filter of a rule about these operations.
 * @throws SyntaxError
 */
export function readFilter(form: Expression, operations: readonly string[], parameters: Parameters): Filter {
  const [kind, ...parts] = isList(form) ? form : []
  if (kind === 'require-all' || kind === 'require-any') {
    const filters = parts.map((part) => readFilter(part, operations, parameters))
    return (attempt) => (kind === 'require-all' ? filters.every((one) => one(attempt)) : filters.some((one) => one(attempt)))
  }
  if (kind === 'require-not' && parts.length === 1) {
    const filter = readFilter(parts[0]!, operations, parameters)
    return (attempt) => !filter(attempt)
  }
  const known = typeof kind === 'string' ? filters[kind] : undefined
  if (known === undefined || parts.length !== 1) throw new SyntaxError(`This filter is not of the subset: ${print(form)}.`)
  const about = operations.flatMap(subjectsOf)
  if (!about.every((subject) => subject === known.subject)) {
    throw new SyntaxError(`${operations.join(' ')} cannot be filtered by ${print(form)}.`)
  }
  return known.matching(known.argument === 'symbol' ? symbol(parts[0]!) : text(parts[0]!, parameters))
}

interface KnownFilter {
  readonly subject: Subject
  readonly argument: 'text' | 'symbol'
  readonly matching: (argument: string) => Filter
}

const filters: Readonly<Record<string, KnownFilter>> = {
  literal: { subject: 'path', argument: 'text', matching: (given) => (attempt) => attempt.path === given },
  subpath: {
    subject: 'path',
    argument: 'text',
    matching: (given) => (attempt) => attempt.path === given || attempt.path?.startsWith(given === '/' ? '/' : `${given}/`) === true,
  },
  'path-ancestors': {
    subject: 'path',
    argument: 'text',
    matching: (given) => (attempt) =>
      attempt.path !== undefined && given !== '/' && `${given}/`.startsWith(withSlash(attempt.path)) && attempt.path !== given,
  },
  'vnode-type': { subject: 'path', argument: 'symbol', matching: (given) => (attempt) => attempt.vnodeType === given },
  target: { subject: 'target', argument: 'symbol', matching: (given) => (attempt) => attempt.target === given },
  'sysctl-name': { subject: 'sysctl', argument: 'text', matching: (given) => (attempt) => attempt.name === given },
  'sysctl-name-prefix': { subject: 'sysctl', argument: 'text', matching: (given) => (attempt) => attempt.name?.startsWith(given) === true },
  'global-name': { subject: 'service', argument: 'text', matching: (given) => (attempt) => attempt.name === given },
  'syscall-number': { subject: 'syscall', argument: 'symbol', matching: (given) => (attempt) => attempt.name === given },
}

function withSlash(path: string): string {
  return path === '/' ? path : `${path}/`
}

function symbol(argument: Expression): string {
  if (typeof argument === 'string') return argument
  throw new SyntaxError(`A symbol is wanted, and this is none: ${print(argument)}.`)
}

function text(argument: Expression, parameters: Parameters): string {
  if (typeof argument === 'object' && !isList(argument)) return argument.text
  const [kind, name] = isList(argument) ? argument : []
  if (kind !== 'param' || typeof name !== 'object' || isList(name))
    throw new SyntaxError(`Text is wanted, and this is none: ${print(argument)}.`)
  if (!Object.hasOwn(parameters, name.text)) throw new SyntaxError(`The parameter ${name.text} was not handed over.`)
  return parameters[name.text]!
}
