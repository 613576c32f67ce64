/** What a guest may do. Data: a backend turns it into namespaces and filters, or into a profile. */
export interface Policy {
  /**
   * Files and directories that the guest can read until it is locked, and never after: the guest's entry file and the
   * runtime's packages. Absolute and free of symbolic links. What node itself needs is added by the backend. A backend
   * without a lock leaves them readable, and says so in its assessment.
   */
  readonly bootRead: readonly string[]
  /** Symbolic links by which modules are found while the guest boots. They exist on the host too. */
  readonly bootLinks: readonly BootLink[]
  /**
   * Files and directories of the host that the guest can read for its whole life, at the paths that they have on the host.
   * Absolute and free of symbolic links, none of them in `write`.
   */
  readonly read: readonly string[]
  /**
   * The same, to be read and written. Where one of these paths lies below another, of whichever list, the inner one decides
   * about what is below it.
   */
  readonly write: readonly string[]
  /** Size of an empty file system of the guest's own at /tmp, which is gone with the guest, MiB; 0: there is none. @default 0 */
  readonly scratchMiB: number
  /** Whether the guest's V8 may compile to machine code. Without it there is no memory that can be executed, and no WebAssembly. @default true */
  readonly jit: boolean
  /** Whether the locked guest may start threads (isolated-vm does). @default false */
  readonly threads: boolean
  /** After the first forbidden act that plain code can commit: end the guest with SIGSYS, or fail the call. @default 'kill' */
  readonly onViolation: OnViolation
  /** How much of each resource the guest may use. */
  readonly limits: Limits
  /** Report every system call, from the guest's first to its last, as far as the backend can. Slow. @default false */
  readonly trace: boolean
}

/**
 * How much of each resource a guest process may use. What is undefined has no limit of ours. Which mechanism holds each one,
 * and how exactly, stands in the guide, "Limits".
 */
export interface Limits {
  /** Memory on top of what the guest holds when it is locked, MiB. At least 16. @default 512 */
  readonly memoryMiB?: number | undefined
  /** CPU time of all its threads together, seconds. @default none */
  readonly cpuSeconds?: number | undefined
  /** Its life from its launch, milliseconds of wall-clock time. @default none */
  readonly lifeMs?: number | undefined
  /** Threads at once, of which node itself needs some ten. At least 16. @default 64 */
  readonly threads?: number | undefined
  /** What it may write to stdout and stderr together, MiB. @default none */
  readonly outputMiB?: number | undefined
  /** How fast what it writes to stdout and stderr is read, together, MiB a second. It waits when it writes faster. @default 64 */
  readonly outputMiBPerSecond?: number | undefined
  /** Size of any one file that it writes, where its policy lets it write files at all, MiB. @default 64 */
  readonly fileSizeMiB?: number | undefined
  /**
   * Descriptors that it has open at once, of which node itself needs some twenty. It gets new ones only where its policy gives it
   * files. From 32 to 65,536, which is also what none of ours comes to. @default 64
   */
  readonly openFiles?: number | undefined
  /**
   * How far it stands behind its host where both want the same processor, in steps of the nice value, 0 to 19: with 5 the host's
   * thread gets three times what each thread of the guest gets, with 10 nine times. Where no other wants it, it makes no difference.
   * Held on Linux, by setpriority(2). @default 5 where the runtime starts threads, none elsewhere
   */
  readonly nice?: number | undefined
}

/** The limits that hold unless others are given. */
export const defaultLimits: Limits = Object.freeze({ memoryMiB: 512, threads: 64, outputMiBPerSecond: 64, fileSizeMiB: 64, openFiles: 64 })

/** A symbolic link inside the guest's file system. */
export interface BootLink {
  /** Where the link stands: absolute. */
  readonly path: string
  /** What it points to: absolute, and below one of `bootRead`. */
  readonly target: string
}

/** `'kill'` ends the guest with SIGSYS, `'deny'` fails the call with an errno; both report. */
export type OnViolation = 'kill' | 'deny'

/** The strictest policy that a JIT compiler can live with: nothing to read, no threads, the first violation kills. */
export const defaultPolicy: Policy = Object.freeze({
  bootRead: Object.freeze([]),
  bootLinks: Object.freeze([]),
  read: Object.freeze([]),
  write: Object.freeze([]),
  scratchMiB: 0,
  jit: true,
  threads: false,
  onViolation: 'kill',
  limits: defaultLimits,
  trace: false,
})
