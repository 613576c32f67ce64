import { ConfineError } from '@confine-sandbox/contract'
import type { ErrorPayload } from './error-payload.ts'
import type { ChannelLimits } from './limits.ts'
import { type StreamSource, streamSource } from './stream-source.ts'

/** What a stream of this side needs of its peer. */
export interface OutgoingStreamOwner {
  readonly limits: ChannelLimits
  /** Returns how many bytes the message has. @throws ERR_CONFINE_VALUE, ERR_CONFINE_LIMIT */
  item(value: unknown): number
  /** Called once, last. */
  end(error?: ErrorPayload): void
  describeError(thrown: unknown): ErrorPayload
}

/** A stream of this side: reads its source as far as the other side has asked. */
export class OutgoingStream {
  readonly #source: StreamSource
  readonly #owner: OutgoingStreamOwner
  #items = 0
  #bytes = 0
  #isReading = false
  #isOver = false

  constructor(value: AsyncIterable<unknown>, owner: OutgoingStreamOwner) {
    this.#source = streamSource(value)
    this.#owner = owner
  }

  /** The other side takes that much more. @throws ERR_CONFINE_PROTOCOL for more than a window. */
  pull(items: number, bytes: number): void {
    const { streamWindowItems, streamWindowBytes } = this.#owner.limits
    this.#items += items
    this.#bytes += bytes
    if (this.#items > streamWindowItems || this.#bytes > streamWindowBytes) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', 'Received a pull of a stream beyond its window')
    }
    if (!this.#isReading) void this.#read()
  }

  /** Nobody takes any more. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#source.stop()
  }

  async #read(): Promise<void> {
    this.#isReading = true
    try {
      while (!this.#isOver && this.#items > 0 && this.#bytes > 0) {
        const { done, value } = await this.#source.next()
        if (this.#isOver) return
        if (done === true) return this.#end()
        this.#items--
        this.#bytes -= this.#owner.item(value)
      }
    } catch (error) {
      if (this.#isOver) return
      this.#source.stop()
      this.#end(this.#owner.describeError(error))
    } finally {
      this.#isReading = false
    }
  }

  #end(error?: ErrorPayload): void {
    this.#isOver = true
    this.#owner.end(error)
  }
}
