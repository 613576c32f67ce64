import { constants } from 'node:os'
import type { EndReason, IsolationEvent, Usage, Violation } from '@confine-sandbox/contract'

/** How a process ended, as the operating system tells it. */
export interface ProcessExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/** Gathers what is said about a process while it lives, and makes its end of it. */
export class EndEvidence {
  #cause: EndReason | undefined
  #violation: Violation | undefined
  #limit: 'memory' | 'cpu' | undefined
  #usage: Omit<Usage, 'wallMs'> | undefined
  #lastStderr = ''

  /** The reason for which the host ends it. The first one counts. */
  blame(cause: EndReason): void {
    this.#cause ??= cause
  }

  /** What the wrapper reported. */
  hear(event: IsolationEvent): void {
    switch (event.type) {
      case 'violation':
        if (event.violation.action === 'kill') this.#violation = event.violation
        return
      case 'limit':
        this.#limit ??= event.limit
        return
      case 'usage':
        this.#usage = { cpuMs: event.cpuMs, peakMemoryMiB: event.peakMemoryMiB }
        return
      case 'setup-failed':
        this.blame({ kind: 'setup-failed', stage: event.stage, reason: event.reason })
    }
  }

  /** What the process wrote to stderr: the guest's word, used to name an end, never to allow anything. */
  overhear(chunk: Buffer): void {
    this.#lastStderr = (this.#lastStderr + chunk.toString('latin1')).slice(-keptStderr)
  }

  reason(exit: ProcessExit): EndReason {
    const plain = this.#plainReason(exit)
    // A guest that dies in the middle of a frame breaks the protocol too: what ended it is the better reason.
    if (this.#cause?.kind === 'protocol' && plain.kind !== 'exited' && !hostSignals.has(exit.signal ?? '')) return plain
    return this.#cause ?? plain
  }

  usage(wallMs: number): Usage | undefined {
    return this.#usage === undefined ? undefined : { ...this.#usage, wallMs }
  }

  #plainReason({ exitCode, signal }: ProcessExit): EndReason {
    if (this.#limit !== undefined) return { kind: this.#limit, signal: signal ?? 'SIGKILL' }
    if (signal === null) return { kind: 'exited', exitCode: exitCode ?? 0 }
    if (signal === 'SIGSYS') return { kind: 'violation', signal, ...(this.#violation === undefined ? {} : { violation: this.#violation }) }
    if (signal === 'SIGXCPU') return { kind: 'cpu', signal }
    // V8 aborts with one of these when it can allocate no more, and says so.
    if (crashSignals.has(signal) && outOfMemory.test(this.#lastStderr)) return { kind: 'memory', signal }
    return { kind: 'signaled', signal }
  }
}

/** The exit code of a process; 128 + n when signal n ended it, as shells say. */
export function exitCodeOf({ exitCode, signal }: ProcessExit): number {
  return exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/** With these the host ends a guest, so they prove nothing. */
const hostSignals: ReadonlySet<string> = new Set(['SIGTERM', 'SIGKILL'])
const crashSignals: ReadonlySet<string> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV'])
const outOfMemory = /out of memory|Allocation failed|allocation failure|bad_alloc/i
const keptStderr = 4096
