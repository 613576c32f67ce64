import {
  ConfineError,
  type IsolationBackend,
  type Limits,
  type OnViolation,
  type PolicyPart,
  type RuntimeDescriptor,
} from '@confine-sandbox/contract'
import { checkRuntime } from './check-runtime.ts'
import { maxContainersOf } from './container-limit.ts'
import { checkLimits, enoughThreads, standingBack } from './limits.ts'
import { checkMinIsolation, type MinIsolation } from './min-isolation.ts'
import { type CheckedPolicy, checkPolicy, type PolicyOptions } from './policy.ts'
import { show } from './show.ts'
import { checkTimeout, defaultTimeouts, type TimeoutOptions } from './timeouts.ts'
import { checkTransport, type Transport } from './transport.ts'

/** Options of a core Sandbox: the runtime and the isolation are handed in as objects. */
export interface CoreSandboxOptions extends TimeoutOptions {
  /** The runtime to load in the guest; `resolveRuntime` makes one of a name. */
  runtime: RuntimeDescriptor
  /** The backend that confines the guest. May be missing only with `noSandbox`. */
  isolation?: IsolationBackend | undefined
  /** Functions and values to inject into the guest's global object, nested as they should appear there. @default {} */
  globals?: any
  /**
   * Print a trace of the guest's system calls to stderr: by the strace program, and where it is missing or may not trace, by
   * the supervisor itself, without what the calls returned. On Linux. @default false
   */
  strace?: boolean | undefined
  /** Print the command of the guest process to stdout. @default false */
  logSpawn?: boolean | undefined
  /** Run the guest without any isolation by the operating system. For development only. @default false */
  noSandbox?: boolean | undefined
  /** Pass the guest's stdout on to this process's stdout. @default false */
  pipeStdout?: boolean | undefined
  /** Pass the guest's stderr on to this process's stderr. @default false */
  pipeStderr?: boolean | undefined
  /**
   * After the first forbidden act that plain code can commit: `'kill'` ends the guest with SIGSYS, `'deny'` fails the
   * call with an errno. Both report it. @default 'kill'
   */
  onViolation?: OnViolation | undefined
  /** How much of each resource the guest may use. @default 512 MiB of memory, 64 threads, no limit of time or output */
  limits?: Limits | undefined
  /** Files that the guest may read or write, scratch space, a harder profile. @default none of it */
  policy?: PolicyOptions | undefined
  /**
   * How many layers must hold each part of the policy, each by itself; with fewer the launch fails and says which are
   * missing. Lower it only in writing: here. @default two for files, network and processes, one for the rest; on macOS, which
   * has one mechanism, one for each but system calls
   */
  minIsolation?: MinIsolation | undefined
  /**
   * The guest is made ahead of its use: a program of its own is run through before the lock, so that the first real one
   * finds everything compiled, and `limits.lifeMs` counts from the first container. Takes some milliseconds more to start;
   * a pool's guests do it. @default false
   */
  standby?: boolean | undefined
  /**
   * What carries the calls. `'inherited'`: a pair of sockets that only two processes have. `'unix'`: a unix socket that the
   * host listens on for one connection. `'tcp'`: the same on 127.0.0.1; only with `noSandbox`, as a TCP socket of the host's
   * network in the guest's hands would be a hole in the wall. @default 'inherited'
   */
  transport?: Transport | undefined
  /**
   * Whether a small process of its own, shared by all sandboxes and started when it is first wanted, starts the guest, so that
   * this one does not stand still while the system copies its page tables: 8 ms at 500 MB, 35 at 2 GB. `'auto'`: where this
   * process has 512 MiB resident or more. On Linux, for confined guests whose calls go over `'inherited'`
   * and that no strace program follows; this process starts the others itself. @default 'auto'
   */
  spawner?: boolean | 'auto' | undefined
  /** How many containers the one guest process takes. They share its memory with the plain runtimes. @default what the runtime says */
  maxContainers?: number | undefined
}

/** Options with their defaults filled in. */
export type CheckedOptions = CoreSandboxOptions &
  Required<Pick<CoreSandboxOptions, keyof typeof defaultOptions>> & {
    limits: Limits
    policy: CheckedPolicy
    minIsolation: Readonly<Record<PolicyPart, number>>
    /** Whether the caller set `minIsolation`: a backend that does not tell its walls cannot pass then. */
    isBarSet: boolean
  }

/** What holds unless the options say otherwise. */
export const defaultOptions = Object.freeze({
  strace: false,
  logSpawn: false,
  noSandbox: false,
  pipeStdout: false,
  pipeStderr: false,
  standby: false,
  onViolation: 'kill' satisfies OnViolation as OnViolation,
  transport: 'inherited' satisfies Transport as Transport,
  spawner: 'auto' as boolean | 'auto',
  ...defaultTimeouts,
})

/**
 * Checks every option before anything is started. `checkOptionNames` looks for unknown ones: a subclass may have its own.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkOptions(options: CoreSandboxOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) throw bad('options', options, 'an object with at least a runtime')
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const checked = { ...defaultOptions, ...given } as CheckedOptions
  for (const key of ['strace', 'logSpawn', 'noSandbox', 'pipeStdout', 'pipeStderr', 'standby'] as const) {
    if (typeof checked[key] !== 'boolean') throw bad(key, checked[key], 'true or false')
  }
  checked.runtime = checkRuntime(checked.runtime)
  if (checked.onViolation !== 'kill' && checked.onViolation !== 'deny') {
    throw bad('onViolation', checked.onViolation, "'kill' or 'deny'")
  }
  if (typeof checked.spawner !== 'boolean' && checked.spawner !== 'auto') throw bad('spawner', checked.spawner, "true, false or 'auto'")
  checkTransport(checked.transport, !checked.noSandbox)
  if (!isCount(checked.startTimeoutMs)) throw bad('startTimeoutMs', checked.startTimeoutMs, 'a positive whole number of milliseconds')
  for (const name of Object.keys(defaultTimeouts) as (keyof typeof defaultTimeouts)[]) checkTimeout(name, checked[name])
  if (checked.maxContainers !== undefined && !isCount(checked.maxContainers)) {
    throw bad('maxContainers', checked.maxContainers, 'a positive whole number')
  }
  if (!checked.noSandbox && typeof checked.isolation?.confine !== 'function') {
    throw bad('isolation', checked.isolation, 'an isolation backend such as linux(); only noSandbox: true goes without')
  }
  checked.limits = checkLimits(checked.limits)
  const { threads, nice } = options.limits ?? {}
  checked.limits = enoughThreads(checked.limits, threads !== undefined, checked.runtime, maxContainersOf(checked))
  checked.limits = standingBack(checked.limits, nice !== undefined, checked.runtime)
  checked.policy = checkPolicy(checked.policy, checked.runtime)
  checked.isBarSet = checked.minIsolation !== undefined
  checked.minIsolation = checkMinIsolation(checked.minIsolation, checked.isolation?.mostWalls)
  return checked
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 0x7fffffff
}

function bad(name: string, value: unknown, wanted: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option ${name} must be ${wanted}; it is ${show(value)}`)
}
