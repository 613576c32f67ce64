import { DOMException } from './dom-exception.ts'
import { Event, EventTarget } from './events.ts'

let isMade = false

/** The web's AbortSignal. */
export class AbortSignal extends EventTarget {
  #handler: ((event: Event) => unknown) | null | undefined
  #reason: unknown
  #isAborted = false

  constructor() {
    super()
    if (!isMade) throw Object.assign(new TypeError('Illegal constructor'), { code: 'ERR_ILLEGAL_CONSTRUCTOR' })
  }

  get onabort(): ((event: Event) => unknown) | null {
    return this.#handler ?? null
  }

  set onabort(handler: ((event: Event) => unknown) | null) {
    // It has its turn among the listeners from when it was set first.
    if (this.#handler === undefined) this.addEventListener('abort', (event) => this.#handler?.call(this, event))
    this.#handler = typeof handler === 'function' ? handler : null
  }

  get aborted(): boolean {
    return this.#isAborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#isAborted) throw this.#reason
  }

  static abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): AbortSignal {
    const signal = make()
    signal.#isAborted = true
    signal.#reason = reason
    return signal
  }

  static timeout(delayMs: number): AbortSignal {
    const signal = make()
    setTimeout(() => fire(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delayMs)
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const all = [...signals]
    const first = all.find(({ aborted }) => aborted)
    if (first !== undefined) return AbortSignal.abort(first.reason)
    const signal = make()
    for (const one of all) one.addEventListener('abort', () => fire(signal, one.reason), { once: true })
    return signal
  }

  /** Aborts it. */
  static fire(signal: AbortSignal, reason: unknown): void {
    if (signal.#isAborted) return
    signal.#isAborted = true
    signal.#reason = reason
    signal.dispatchEvent(new Event('abort'))
  }

  override get [Symbol.toStringTag](): string {
    return 'AbortSignal'
  }
}

const { fire } = AbortSignal
Reflect.deleteProperty(AbortSignal, 'fire')

function make(): AbortSignal {
  isMade = true
  try {
    return new AbortSignal()
  } finally {
    isMade = false
  }
}

/** The web's AbortController. */
export class AbortController {
  readonly signal = make()

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    fire(this.signal, reason)
  }

  get [Symbol.toStringTag](): string {
    return 'AbortController'
  }
}
