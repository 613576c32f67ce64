/**
 * How fast output may come: a second's worth at once, and from then on as much as is refilled. Reading no faster is enough,
 * as a process whose pipe is full waits.
 */
export class OutputRate {
  readonly #bytesPerSecond: number
  readonly #now: () => number
  #left: number
  #last: number

  /** @param now The clock, milliseconds. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
    this.#left = bytesPerSecond
    this.#last = now()
  }

  /** Counts what was read. Returns how long to read no more, milliseconds. */
  take(bytes: number): number {
    const now = this.#now()
    const refilled = ((now - this.#last) / 1000) * this.#bytesPerSecond
    this.#last = now
    this.#left = Math.min(this.#bytesPerSecond, this.#left + refilled) - bytes
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left / this.#bytesPerSecond) * 1000)
  }
}
