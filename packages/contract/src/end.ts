import type { Violation } from './violation.ts'

/** How a guest process ended, as data: nobody has to catch it. */
export type GuestEnd = EndReason & {
  /** What it used, when the backend can tell. */
  readonly usage?: Usage
}

/** What a guest process used in its life. */
export interface Usage {
  /** CPU time of all its threads, milliseconds. */
  readonly cpuMs: number
  /** Wall-clock time from its launch to its end, milliseconds. */
  readonly wallMs: number
  /** Most memory that was resident at once, MiB. */
  readonly peakMemoryMiB: number
}

/** Why a guest process ended. */
export type EndReason =
  /** It exited by itself, or was asked to and did. */
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** A signal ended it: a crash, a kill from outside, or the host's own teardown. */
  | { readonly kind: 'signaled'; readonly signal: string }
  /** It did what the policy forbids; `violation` is missing when the kernel killed it before a report could be made. */
  | { readonly kind: 'violation'; readonly signal: string; readonly violation?: Violation }
  /** It did not get ready, or did not answer, in time. */
  | { readonly kind: 'timeout'; readonly what: string; readonly timeoutMs: number }
  /** It reached its memory limit: it could allocate no more and gave up, or was ended. */
  | { readonly kind: 'memory'; readonly signal: string }
  /** It used up its CPU time. */
  | { readonly kind: 'cpu'; readonly signal: string }
  /** It wrote more to stdout and stderr than it may. */
  | { readonly kind: 'output'; readonly outputMiB: number }
  /** It broke the call protocol and was ended for it. */
  | { readonly kind: 'protocol'; readonly reason: string }
  /** Isolation could not be put in force; no untrusted source was sent. */
  | { readonly kind: 'setup-failed'; readonly stage: string; readonly reason: string }

/** One sentence that says how the guest ended, for messages and logs. */
export function describeEnd(end: GuestEnd): string {
  switch (end.kind) {
    case 'exited':
      return `the guest process exited with code ${end.exitCode}`
    case 'signaled':
      return `the guest process was ended by ${end.signal}`
    case 'violation':
      return end.violation === undefined
        ? `the guest process made a forbidden system call and was ended with ${end.signal}`
        : `the guest process made the forbidden system call ${describeViolation(end.violation)} and was ended with ${end.signal}`
    case 'timeout':
      return `the guest process was ended because ${end.what} took longer than ${end.timeoutMs} ms`
    case 'memory':
      return `the guest process reached its memory limit and was ended with ${end.signal}`
    case 'cpu':
      return `the guest process used up its CPU time and was ended with ${end.signal}`
    case 'output':
      return `the guest process wrote more than ${end.outputMiB} MiB of output and was ended`
    case 'protocol':
      return `the guest process broke the call protocol (${end.reason}) and was ended`
    case 'setup-failed':
      return `the guest process could not be set up: ${end.stage}: ${end.reason}`
  }
}

function describeViolation(violation: Violation): string {
  return violation.path === undefined ? violation.syscall : `${violation.syscall} (${JSON.stringify(violation.path)})`
}
