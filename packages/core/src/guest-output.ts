import { Readable } from 'node:stream'

/**
 * One of the guest's output streams, for whoever asks for it. What is not taken holds the guest back, as a full pipe does;
 * before it was asked for, and after it was destroyed, nothing is kept.
 */
export class GuestOutput {
  #stream: Readable | undefined
  #waiting: (() => void)[] = []
  #isOver = false

  get stream(): Readable {
    this.#stream ??= this.#make()
    return this.#stream
  }

  /** Takes what the guest wrote; a promise says when there is room for more. */
  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#stream === undefined || this.#stream.destroyed || this.#stream.push(chunk)) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The guest is gone. */
  end(): void {
    this.#isOver = true
    this.#release()
    this.#stream?.push(null)
  }

  #make(): Readable {
    const stream = new Readable({ highWaterMark: heldBytes, read: () => this.#release() })
    stream.once('close', () => this.#release())
    if (this.#isOver) stream.push(null)
    return stream
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** How much is kept for a reader that is slow. */
const heldBytes = 64 * 1024
