import { constants } from 'node:os'
import type { GuestEnd } from '../index.ts'

/** What `confine` exits with. `confine run` exits as its program does, unless the sandbox itself has something to say. */
export const exitCodes = Object.freeze({
  /** Everything went as asked. */
  ok: 0,
  /** The program or the call failed, an attack got through, or a policy cannot be held. */
  failed: 1,
  /** `doctor`, `attack --tier`: the machine gives the tier `no-user-namespaces-root`. */
  tierRoot: 3,
  /** `doctor`, `attack --tier`: the machine gives the tier `landlock-seccomp`. */
  tierWithoutNamespaces: 4,
  /** `doctor`, `attack --tier`: the machine cannot hold a guest. */
  tierNone: 5,
  /** The command line is wrong. sysexits.h, EX_USAGE */
  usage: 64,
  /** A deadline passed. As timeout(1) */
  timeout: 124,
  /** The sandbox could not be set up; no untrusted source ran. */
  setup: 125,
})

/** The exit code for a guest that ended under its program: 128 + n when signal n ended it, as shells say. */
export function exitCodeOfEnd(end: GuestEnd): number {
  switch (end.kind) {
    case 'exited':
      return end.exitCode
    case 'timeout':
      return exitCodes.timeout
    case 'setup-failed':
      return exitCodes.setup
    case 'output':
    case 'protocol':
      return exitCodes.failed
    default:
      return 128 + (constants.signals[end.signal as NodeJS.Signals] ?? 0)
  }
}
