import { readFileSync } from 'node:fs'
import type { SandboxConstructorOpts } from '../index.ts'
import { type CommandOption, type OptionValues, UsageError } from './command.ts'

/** The options of every command that starts a guest. */
export const sandboxOptions: Readonly<Record<string, CommandOption>> = Object.freeze({
  runtime: {
    type: 'string',
    short: 'r',
    value: '<name>',
    help: 'jseval, jsisolate, quickjs, wasm, a package name or a path; default jseval',
  },
  memory: { type: 'string', short: 'm', value: '<MiB>', help: 'memory on top of what an empty guest holds; default 512' },
  cpu: { type: 'string', value: '<seconds>', help: 'CPU time of all threads together; default no limit' },
  timeout: { type: 'string', short: 't', value: '<duration>', help: 'life of the guest, such as 500ms, 10s or 2m; default no limit' },
  read: { type: 'string', multiple: true, value: '<path>', help: 'file or directory that the guest can read; may be repeated' },
  write: { type: 'string', multiple: true, value: '<path>', help: 'the same, to be read and written; may be repeated' },
  scratch: { type: 'string', value: '<MiB>', help: 'size of an empty /tmp of its own; default none' },
  hardened: { type: 'boolean', help: 'no memory that can be executed: no JIT compiler, no WebAssembly; slower' },
  deny: { type: 'boolean', help: 'a forbidden act fails with an error; without it, it ends the guest' },
  policy: { type: 'string', value: '<file>', help: 'take options from a JSON file, as explain reads it; the other options win' },
})

/** Runtimes that a short name is enough for. The first two come along, the others are installed when they are wanted. */
const runtimeNames: ReadonlySet<string> = new Set(['jseval', 'jsisolate', 'quickjs', 'wasm'])

/**
 * The options of the Sandbox that a command line asks for.
 * @throws UsageError
 */
export function readSandboxOptions(values: OptionValues): SandboxConstructorOpts {
  const base = typeof values.policy === 'string' ? readPolicyFile(values.policy) : {}
  const memoryMiB = number(values, 'memory')
  const cpuSeconds = number(values, 'cpu')
  const lifeMs = values.timeout === undefined ? undefined : duration(String(values.timeout))
  const scratchMiB = number(values, 'scratch')
  const { read, write } = { read: values.read as string[] | undefined, write: values.write as string[] | undefined }
  return {
    ...base,
    runtime: runtimeOf(values.runtime ?? base.runtime),
    ...(values.deny === true ? { onViolation: 'deny' } : {}),
    limits: { ...base.limits, ...given({ memoryMiB, cpuSeconds, lifeMs }) },
    policy: { ...base.policy, ...given({ read, write, scratchMiB, hardened: values.hardened === true ? true : undefined }) },
  }
}

function runtimeOf(given: unknown): string {
  const name = typeof given === 'string' ? given : 'jseval'
  return runtimeNames.has(name) ? `${name}-confine-runtime` : name
}

/** What a policy file may hold: the options of a Sandbox that are data and weaken nothing by themselves. */
const policyFields: readonly string[] = ['runtime', 'policy', 'limits', 'onViolation', 'minIsolation', 'maxContainers', 'startTimeoutMs']

/** @throws UsageError */
export function readPolicyFile(path: string): SandboxConstructorOpts {
  let options: unknown
  try {
    options = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`Cannot read the policy ${path}: ${(error as Error).message}`)
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UsageError(`The policy ${path} must be an object such as { "policy": { "read": ["/data"] }, "limits": { "memoryMiB": 64 } }`)
  }
  const unknown = Object.keys(options).find((name) => !policyFields.includes(name))
  const { runtime } = options as { runtime?: unknown }
  if (runtime !== undefined && typeof runtime !== 'string') throw new UsageError(`The runtime in ${path} must be a name or a path`)
  if (unknown !== undefined)
    throw new UsageError(`The policy ${path} has a field ${JSON.stringify(unknown)}; there are ${policyFields.join(', ')}`)
  return options
}

function number(values: OptionValues, name: string): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  if (typeof text === 'string' && /^\d+$/.test(text)) return Number(text)
  throw new UsageError(`--${name} takes a whole number, not ${JSON.stringify(text)}`)
}

/** `500ms`, `10s`, `2m`, or a plain number of seconds. */
function duration(text: string): number {
  const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  if (count === undefined) throw new UsageError(`--timeout takes a duration such as 500ms, 10s or 2m, not ${JSON.stringify(text)}`)
  return Math.max(1, Math.round(Number(count) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h']))
}

function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
