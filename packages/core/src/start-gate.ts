/** What must be heard before untrusted source may be sent. */
export type StartSign = 'locked' | 'ready'

/**
 * Waits for every sign that a guest has started, up to a deadline. Settles once.
 */
export class StartGate {
  /** Resolves when every sign was given, rejects when the guest failed before. */
  readonly opened: Promise<void>
  /** Whether every sign was given. */
  isOpen = false
  readonly #missing: Set<StartSign>
  readonly #deadline: NodeJS.Timeout
  #resolve: () => void
  #reject: (reason: Error) => void

  constructor(signs: readonly StartSign[], timeoutMs: number, tooSlow: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.opened = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#missing = new Set(signs)
    this.#deadline = setTimeout(tooSlow, timeoutMs)
    // Whoever waits sees the rejection; that nobody waits is no error.
    promise.catch(() => {})
  }

  give(sign: StartSign): void {
    this.#missing.delete(sign)
    if (this.#missing.size > 0) return
    clearTimeout(this.#deadline)
    this.isOpen = true
    this.#resolve()
  }

  fail(reason: Error): void {
    clearTimeout(this.#deadline)
    this.#reject(reason)
  }
}
