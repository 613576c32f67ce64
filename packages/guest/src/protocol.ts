import type { ModuleGraph } from '@confine-sandbox/contract'

/** What the host tells the guest process on its command line, as JSON. Trusted: it is read before any untrusted source is there. */
export interface GuestSettings {
  /** Absolute path of the runtime's main module. */
  readonly runtime: string
  /** Whether that is one file that asks for nothing but Node's own modules. */
  readonly isBundle?: boolean
  /** Absolute paths of native addons, by the names that the bundle asks for them by. */
  readonly addons?: Readonly<Record<string, string>>
  /** Absolute path of the runtime's warm-up module. */
  readonly warmUp?: string
  /** The path whose statfs asks the supervisor to lock this process. Absent: there is no supervisor. */
  readonly lockPath?: string
  /** Whether to run a program of its own through before the lock: this guest is made ahead of its use. */
  readonly standby?: boolean
  /** Whether the host wants to know, before the lock, what V8 has learned of the texts of this process: for others of the same runtime. */
  readonly teaches?: boolean
  /** Whether the channel begins with what V8 knows of the texts of this process. */
  readonly hasCode?: boolean
  /** How many containers this process takes. */
  readonly maxContainers: number
}

/** Requests of the host to the guest process, `cid` 0. Requests with another cid call that container. */
export const guestMethod = Object.freeze({
  /** `[ExecRequest]` → `{}`: makes a container, loads its source. */
  exec: 'exec',
  /** `[cid, opts]` → nothing. */
  config: 'config',
  /** `[value]` → the value: both sides compile what they need for it. */
  ping: 'ping',
  /** `[cid]` → nothing: closes a container. */
  kill: 'kill',
  /** `[cid]` → ApiDescription: what a container exports. */
  describe: 'describe',
  /** `[cid]` → RuntimeUsage: what a container has used. */
  usage: 'usage',
  /** `[cid]` → nothing: lets a program run to its end, which is when nothing but the channel keeps the process, and closes it. */
  finish: 'finish',
})

/** What the host tells the guest process without being asked, `cid` 0. */
export const guestNotice = Object.freeze({
  /** `[boolean]`: whether it wants to know what programs log. */
  console: 'console',
})

/** What the guest tells the host without being asked. */
export const hostNotice = Object.freeze({
  /** `cid` 0, `[]`: the runtime is loaded and the lock was asked for. */
  ready: 'ready',
  /** `cid` 0, `[ErrorPayload]`: the runtime cannot be loaded; the process ends. */
  failed: 'failed',
  /** `cid` 0, `[]`: it begins to run a program of our own through. Before `ready`, and only of a guest that was asked for that. */
  rehearsing: 'rehearsing',
  /** `cid` 0, `[program, runtime, own]`, bytes or nothing each: what V8 has learned. Before `ready`, and only of a guest that was asked for it. */
  learned: 'learned',
  /** `cid` of a container, `[exitCode]`: it closed. */
  closed: 'closed',
  /** `cid` of a container, `[ErrorPayload]`: it threw where nobody waited for it, and goes on. */
  error: 'error',
  /** `cid` of a container, `[level, args, dropped]`: it logged something, and so many times more since the last notice. */
  console: 'console',
  /** `cid` 0, `[ErrorPayload]`: something was thrown where nobody waited for it; the process ends. */
  uncaught: 'uncaught',
})

/** The longest part of what V8 has learned: ten times what ours have. A longer one is not told. */
export const maxLearnedBytes: number = 4 * 2 ** 20

/** The parameters of `exec`. */
export interface ExecRequest {
  /** The container's id, chosen by the host. */
  readonly cid: number
  /** The program; absent when it is in the graph. */
  readonly source?: string | Uint8Array
  /** The program with its modules, for a runtime that asked for them. */
  readonly graph?: ModuleGraph
  /** The runtime's own options. */
  readonly options: Readonly<Record<string, unknown>>
  /** Dotted names of the host's functions. */
  readonly functions: readonly string[]
  /** Dotted names and values of the host's other globals. */
  readonly values: readonly (readonly [name: string, value: unknown])[]
}
