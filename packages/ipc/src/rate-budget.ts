import { now } from './now.ts'

/** So many at once, and so many a second. What is beyond is counted, to be told by its number. */
export class RateBudget {
  readonly #atOnce: number
  readonly #perSecond: number
  #left: number
  #filledAt = now()
  #dropped = 0

  constructor(atOnce: number, perSecond: number) {
    this.#atOnce = atOnce
    this.#perSecond = perSecond
    this.#left = atOnce
  }

  /** Whether one more is within the budget; if not, it is counted. */
  take(): boolean {
    const time = now()
    this.#left = Math.min(this.#atOnce, this.#left + ((time - this.#filledAt) / 1000) * this.#perSecond)
    this.#filledAt = time
    if (this.#left >= 1) {
      this.#left--
      return true
    }
    this.#dropped++
    return false
  }

  /** How many were beyond it since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
