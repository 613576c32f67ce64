import type { EventEmitter } from 'node:events'
import { ConfineError, type ConsoleLevel, consoleLevels } from '@confine-sandbox/contract'
import { consoleBudget, RateBudget } from '@confine-sandbox/ipc'
import type { SandboxEvents } from './events.ts'

/** Something that a program logged with its `console`. */
export interface ConsoleEvent {
  /** The container that logged. */
  readonly cid: number
  readonly level: ConsoleLevel
  /** What was logged, as data; what cannot cross, as text. The guest's word: `util.format(...event.args)` makes one line of it. */
  readonly args: readonly unknown[]
}

/** What becomes of the `console` notices of a guest. */
export interface ConsoleListener {
  logged(event: ConsoleEvent): void
  /** So many more were too many. Comes at most ten times a second. */
  dropped(count: number): void
}

/** Reads what the guest says that its programs logged, within the host's own budget. */
export class ConsoleEvents {
  readonly #listener: ConsoleListener
  readonly #budget = new RateBudget(consoleBudget.atOnce, consoleBudget.perSecond)
  #dropped = 0
  #timer: NodeJS.Timeout | undefined

  constructor(listener: ConsoleListener) {
    this.#listener = listener
  }

  /** @throws ERR_CONFINE_PROTOCOL for what no guest of ours says. */
  take(cid: number, [level, args, dropped]: unknown[], size: number): void {
    if (
      !consoleLevels.includes(level as ConsoleLevel) ||
      !Array.isArray(args) ||
      !Number.isSafeInteger(dropped) ||
      (dropped as number) < 0
    ) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', 'The guest sent a line of its console that is none')
    }
    this.#drop(dropped as number)
    if (size <= consoleBudget.maxBytes * overhead && this.#budget.take()) this.#listener.logged({ cid, level: level as ConsoleLevel, args })
    else this.#drop(1)
  }

  /** Tells what was dropped last. */
  close(): void {
    clearTimeout(this.#timer)
    this.#tell()
  }

  #drop(count: number): void {
    if (count === 0) return
    this.#dropped = Math.min(Number.MAX_SAFE_INTEGER, this.#dropped + count)
    this.#timer ??= setTimeout(() => this.#tell(), 100).unref()
  }

  #tell(): void {
    this.#timer = undefined
    const count = this.#dropped
    this.#dropped = 0
    if (count > 0) this.#listener.dropped(count)
  }
}

/** Tells whether somebody listens to `console`, when somebody does and whenever that changes. */
export function followConsoleListeners(sandbox: EventEmitter<SandboxEvents>, tell: (isHeard: boolean) => void): void {
  if (sandbox.listenerCount('console') > 0) tell(true)
  // Told before the listener is added, and after it was removed.
  const listeners = sandbox as EventEmitter
  listeners.on('newListener', (event) => event === 'console' && tell(true))
  listeners.on('removeListener', (event) => event === 'console' && tell(sandbox.listenerCount('console') > 0))
}

/** Small objects take more memory than bytes; the guest counts bytes. */
const overhead = 64
