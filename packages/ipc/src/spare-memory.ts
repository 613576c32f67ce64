/**
 * Memory for long messages, kept for the next one: fresh memory costs as much as the copy into it. One piece of it, of bounded
 * size, and not for longer than it is used.
 */
export class SpareMemory {
  #spare: Buffer | undefined
  #isFresh = false
  #timer: NodeJS.Timeout | undefined

  /** So many bytes, with anything in them. */
  take(bytes: number): Buffer {
    const spare = this.#spare
    if (spare === undefined || spare.length < bytes || spare.length > bytes * 4) return Buffer.allocUnsafeSlow(bytes)
    this.#spare = undefined
    return spare.subarray(0, bytes)
  }

  /** Nobody reads what was taken any more. */
  giveBack(taken: Buffer): void {
    if (taken.buffer.byteLength > keptBytes) return
    this.#spare = Buffer.from(taken.buffer)
    this.#isFresh = true
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref()
  }

  #look(): void {
    if (this.#isFresh) {
      this.#isFresh = false
      return
    }
    this.#spare = undefined
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

const keptBytes = 16 * 1024 * 1024
const lookEveryMs = 500
