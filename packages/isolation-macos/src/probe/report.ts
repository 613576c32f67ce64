/**
 * What a Mac can do to hold a guest, and what it cannot. Data: it survives JSON. Has the members of the report on Linux, so that a
 * program can show either.
 */
export interface MacosProbeReport {
  /** `process.platform` */
  readonly platform: string
  /** `process.arch` */
  readonly architecture: string
  /** As `uname -r` says it: 25 is macOS 26, 24 is macOS 15. */
  readonly kernel: string
  /** Always unknown: it is the system's own. */
  readonly libc: { readonly name: 'unknown'; readonly version?: string }
  /** The effective user id of this process, -1 where there is none. */
  readonly uid: number
  /** What this process seems to run in. Empty: nothing was seen. */
  readonly surroundings: readonly MacosSurrounding[]
  /** Always 0: Landlock is Linux's. */
  readonly landlockAbi: number
  /** One for each id, always all of them, in the order of `macosFindingIds`. */
  readonly findings: readonly MacosFinding[]
  /** The strongest isolation that this machine gives to this user: Seatbelt, or none. */
  readonly tier: 'seatbelt' | 'none'
  /** Why it is this one. */
  readonly reason: string
  /** The findings that stand in the way of `seatbelt`, the first cause first. */
  readonly blockers: readonly MacosFindingId[]
  /** How long the probe took, milliseconds. */
  readonly durationMs: number
}

/** Something around this process that shapes what it may do. */
export interface MacosSurrounding {
  /** `sandbox`: a Seatbelt sandbox, which do not nest. `rosetta`: node is built for another processor and is translated. */
  readonly kind: 'sandbox' | 'rosetta'
  /** Where it was read. */
  readonly seenIn: string
}

/** One thing that a guest needs, or that makes it stronger. */
export interface MacosFinding {
  /** Stable: match on it. */
  readonly id: MacosFindingId
  /** What it is, for people. */
  readonly what: string
  /** `works`: it was done. `missing`: it was tried and failed. `unknown`: it could not be tried. */
  readonly status: 'works' | 'missing' | 'unknown'
  /** What was seen. */
  readonly detail: string
  /** What blocks it. Stable: match on it. Only where `status` is not `works`. */
  readonly cause?: MacosCause
  /** What cannot be had without it. Absent: nothing is lost. */
  readonly consequence?: string
  /** What the user can do about it. */
  readonly remedy?: string
}

/** What is looked at, in the order of the report. */
export const macosFindingIds = Object.freeze([
  'platform',
  'sandbox-exec',
  'shell',
  'ps',
  'empty-directory',
  'seatbelt',
  'seatbelt-hardened',
  'process-limit',
  'log',
] as const)

/** The name of a finding. */
export type MacosFindingId = (typeof macosFindingIds)[number]

/** What can block one. */
export type MacosCause =
  /** The whole platform is another one. */
  | 'platform'
  /** A program or a directory that is not there, or that this user may not use. */
  | 'not-installed'
  /** This process is in a sandbox already, and they do not nest. */
  | 'sandbox'
  /** This user may not, and an administrator could. */
  | 'privileges'
  /** This process is root's, for whom it does not hold. */
  | 'root'
  /** Nothing of its own: another finding blocks it. */
  | 'follows'
  | 'unknown'
