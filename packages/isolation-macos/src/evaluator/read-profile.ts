import { type Expression, isList, isSame, print } from '../sbpl/expression.ts'
import { parse } from '../sbpl/parse.ts'
import { type Filter, readFilter } from './filter.ts'
import { isOperation } from './operations.ts'

/** One rule of a profile, ready to be asked. */
export interface ReadRule {
  readonly action: 'allow' | 'deny'
  readonly operations: readonly string[]
  /** Any of them must match; none means everything. */
  readonly filters: readonly Filter[]
  /** The signal that a denial sends. */
  readonly signal?: string
  /** As it stands in the profile. */
  readonly form: Expression
}

/**
 * Reads a profile as sandbox-exec would compile it, with the values that were handed over beside it. Understands the part of
 * the language that this package writes, and refuses the rest instead of guessing what it means.
 * @throws SyntaxError
 */
export function readProfile(text: string, parameters: Readonly<Record<string, string>>): readonly ReadRule[] {
  const [version, ...forms] = parse(text)
  if (version === undefined || !isSame(version, ['version', '1'])) throw new SyntaxError('A profile begins with (version 1).')
  const rules = forms.map((form) => readRule(form, parameters))
  const [first] = rules
  if (first?.action !== 'deny' || first.operations.join() !== 'default') throw new SyntaxError('The first rule is (deny default).')
  return rules
}

function readRule(form: Expression, parameters: Readonly<Record<string, string>>): ReadRule {
  if (!isList(form)) throw new SyntaxError(`A rule is a list, and this is none: ${print(form)}.`)
  const [action, ...rest] = form
  if (action !== 'allow' && action !== 'deny') throw new SyntaxError(`A rule allows or denies, and this does not: ${print(form)}.`)
  const end = rest.findIndex((part) => typeof part !== 'string')
  const operations = rest.slice(0, end < 0 ? undefined : end) as string[]
  const parts = end < 0 ? [] : rest.slice(end)
  const unknown = operations.find((operation) => !isOperation(operation))
  if (unknown !== undefined) throw new SyntaxError(`unbound variable: ${unknown}`)
  if (operations.length === 0) throw new SyntaxError(`A rule names an operation, and this does not: ${print(form)}.`)

  const filters = parts.filter((part) => !isModifier(part)).map((part) => readFilter(part, operations, parameters))
  const signal = parts.filter(isModifier).map(signalOf).find(Boolean)
  return { action, operations, filters, form, ...(signal === undefined ? {} : { signal }) }
}

function isModifier(part: Expression): boolean {
  return isList(part) && part[0] === 'with'
}

function signalOf(modifier: Expression): string | undefined {
  const [, kind, value, ...more] = modifier as readonly Expression[]
  if (more.length === 0 && kind === 'send-signal' && typeof value === 'string') return value
  if (more.length === 0 && kind === 'message' && typeof value === 'object' && !isList(value)) return undefined
  throw new SyntaxError(`This modifier is not of the subset: ${print(modifier)}.`)
}
