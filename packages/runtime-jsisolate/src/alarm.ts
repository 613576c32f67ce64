/** One timer, that is set again and again. */
export class Alarm {
  readonly #ring: () => void
  #timeout: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings once after so many milliseconds, and not for what was set before. What is due rings in the next turn: a timer takes a millisecond at least. */
  set(delayMs: number): void {
    this.clear()
    if (delayMs > 0) this.#timeout = setTimeout(this.#ring, delayMs)
    else this.#immediate = setImmediate(this.#ring)
  }

  clear(): void {
    clearTimeout(this.#timeout)
    clearImmediate(this.#immediate)
  }
}
