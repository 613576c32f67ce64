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
  /** Whether the locked guest may start threads (isolated-vm does). @default false */
  readonly threads: boolean
  /** After the first forbidden act that plain code can commit: end the guest with SIGSYS, or fail the call. @default 'kill' */
  readonly onViolation: OnViolation
  /** How much of each resource the guest may use. */
  readonly limits: Limits
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
}

/** The limits that hold unless others are given. */
export const defaultLimits: Limits = Object.freeze({ memoryMiB: 512, threads: 64 })

/** A symbolic link inside the guest's file system. */
export interface BootLink {
  /** Where the link stands: absolute. */
  readonly path: string
  /** What it points to: absolute, and below one of `bootRead`. */
  readonly target: string
}

/** `'kill'` ends the guest with SIGSYS, `'deny'` fails the call with an errno; both report. */
export type OnViolation = 'kill' | 'deny'

/** The strictest policy: nothing to read, no threads, the first violation kills. */
export const defaultPolicy: Policy = Object.freeze({
  bootRead: Object.freeze([]),
  bootLinks: Object.freeze([]),
  threads: false,
  onViolation: 'kill',
  limits: defaultLimits,
})
