import type { Policy } from './policy.ts'
import type { Violation } from './violation.ts'

/**
 * One way of the operating system to confine a process. A backend wraps a command; core spawns it. Backends are handed
 * to core as objects.
 */
export interface IsolationBackend {
  /** A short name for people: `linux`, `macos`. */
  readonly name: string
  /**
   * The path whose statfs asks the supervisor to lock the guest, as the guest sees it. Core tells it to the guest and
   * sends no source before the supervisor's `locked` event. Absent: the whole policy holds from the first instruction.
   */
  readonly lockPath?: string
  /** Whether it can report every system call by itself, when the policy asks for a trace. @default false */
  readonly traces?: boolean
  /**
   * How many walls it has for each part of a policy where nothing is missing, for a backend whose system has fewer than the
   * default bar asks for. The bar is then no higher than this, unless the caller sets `minIsolation`. Absent: the default bar is
   * within its reach.
   */
  readonly mostWalls?: Readonly<Record<PolicyPart, number>>
  /** Says how each part of the policy is held on this machine, and what is missing. Starts no guest. */
  assess(policy: Policy): Assessment
  /**
   * Rewrites a command into one that runs it confined. A pure function of its arguments and of what `assess` found.
   * @throws ERR_CONFINE_ISOLATION_UNAVAILABLE when a part of the policy cannot be held here.
   */
  confine(command: Command, policy: Policy): ConfinedCommand
  /**
   * Explains how a guest ended before it was ready, for backends whose wrapper reports nothing itself. Core asks it only
   * while no untrusted source was sent: afterwards what stands in stderr is the guest's word.
   */
  explainStart?(end: StartEnd): StartFailure | undefined
}

/** How a process ended before it was ready. */
export interface StartEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  /** What it wrote to stderr, its first kilobytes. */
  readonly stderr: string
}

/** Why a guest did not start, in words for people. */
export interface StartFailure {
  /** Which step failed. */
  readonly stage: string
  readonly reason: string
  /** What the user can do about it. */
  readonly remedy: string
}

/** A program, its arguments and its whole environment: nothing is inherited. */
export interface Command {
  /** Absolute path of the program. */
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A command that confines the one it was made from. */
export interface ConfinedCommand extends Command {
  /** Working directory of the wrapper, absolute. */
  readonly cwd: string
  /**
   * Whether the process that is spawned becomes the guest itself, its wrapper executing it in place, and is followed by nobody
   * but watchers in its process group. Core then makes it the leader of a session of its own, ends it with SIGKILL where a supervisor
   * would be asked, and kills the whole group when the guest is gone. @default false: a supervisor stands above the guest and ends it
   */
  readonly becomesGuest?: boolean
  /** What holds from the first instruction, when the wrapper does not report it itself with `ready`. */
  readonly holds?: { readonly layers: readonly string[]; readonly walls?: Walls }
  /** Sockets that the wrapper wants beyond the call channel on fd 3. They are numbered from 4 on, in this order. */
  readonly descriptors: readonly WrapperDescriptor[]
}

/** One socket between core and the wrapper. Core writes `send` to it once, keeps it open for life, and reads it with `read()`. */
export interface WrapperDescriptor {
  /** Written once, right after the spawn. */
  readonly send?: Uint8Array
  /** Whether reports come late: the group of a command that becomes the guest is left a second more. @default false */
  readonly isLate?: boolean
  /** Makes the reader of what comes back. Called once per launch. */
  readonly read: () => ReportReader
}

/** Turns the bytes of the wrapper's reports into events. Holds what is left of an unfinished line. Never throws. */
export type ReportReader = (chunk: Uint8Array) => readonly IsolationEvent[]

/** What the wrapper (never the guest) reports. */
export type IsolationEvent =
  /** Every layer stands and the command is about to run. */
  | { readonly type: 'ready'; readonly layers: readonly string[]; readonly walls?: Walls; readonly tier?: IsolationTier }
  /** The guest is locked: untrusted source may be sent. */
  | { readonly type: 'locked' }
  /** The guest did what the policy forbids. */
  | { readonly type: 'violation'; readonly violation: Violation }
  /** That many further violations were committed, and are told by their number alone: there were too many of them. */
  | { readonly type: 'violations-dropped'; readonly count: number }
  /** One or more lines of the trace that the policy asked for, for people. What the guest wrote is escaped in them. */
  | { readonly type: 'trace'; readonly text: string }
  /** The guest reached a limit and is being ended for it. */
  | { readonly type: 'limit'; readonly limit: 'memory' | 'cpu' }
  /** What the guest has used. Comes last, when the guest is gone. */
  | { readonly type: 'usage'; readonly cpuMs: number; readonly peakMemoryMiB: number }
  /** The wrapper failed before the command ran. */
  | { readonly type: 'setup-failed'; readonly stage: string; readonly reason: string }

/** How strong a launch came out, of a backend that has weaker ways for machines that lack something. */
export interface IsolationTier {
  /** The backend's word for it. */
  readonly name: string
  /** Why it is none of the stronger ones: what was tried, what came back, and the remedy. Empty: it is the strongest. */
  readonly because: readonly string[]
  /** Whether what is in force was looked at from outside once the program ran. */
  readonly isVerified: boolean
}

/** The layers in force that hold each part of a policy, each of them by itself. */
export type Walls = Readonly<Record<PolicyPart, readonly string[]>>

/** How exactly something is held: by the letter of the policy, in part, or not at all. */
export type Hold = 'exact' | 'coarse' | 'none'

/** The parts of a policy that a backend answers for. */
export const policyParts = Object.freeze(['files', 'network', 'processes', 'privileges', 'syscalls'] as const)

/** One part of a policy. */
export type PolicyPart = (typeof policyParts)[number]

/** How a backend would hold a policy on this machine. */
export interface Assessment {
  /** The backend's name. */
  readonly backend: string
  /** For each part: how exactly it is held, and by which layers. */
  readonly parts: Readonly<Record<PolicyPart, { readonly hold: Hold; readonly by: readonly string[] }>>
  /** What this machine lacks of the strongest isolation, each with its remedy. */
  readonly missing: readonly MissingLayer[]
}

/** A layer that this machine does not give. */
export interface MissingLayer {
  readonly layer: string
  /** What was tried and what came back. */
  readonly reason: string
  /** What the user can do about it. */
  readonly remedy: string
}
