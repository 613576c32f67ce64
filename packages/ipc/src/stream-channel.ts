import type { Duplex } from 'node:stream'
import { type Channel, type ChannelReceiver, ConfineError } from '@confine-sandbox/contract'
import { FrameDecoder, frameHeaderBytes, writeFrameHeader } from './frame.ts'
import { type ChannelLimits, defaultLimits } from './limits.ts'

/** What a stream channel can be told beside its limits. */
export interface StreamChannelOptions {
  readonly limits?: ChannelLimits
  /**
   * Stop reading while more than this many bytes wait to be written, so that a peer that asks without reading the
   * answers blocks itself. For one side only: two sides that both do it can wait for each other for ever.
   * @default never
   */
  readonly pauseReadingAboveBytes?: number
}

/** A channel over a byte stream that both sides share: the inherited socket, a unix socket, TCP. */
export function streamChannel(stream: Duplex, options: StreamChannelOptions = {}): Channel {
  return new StreamChannel(stream, options)
}

class StreamChannel implements Channel {
  readonly #stream: Duplex
  readonly #limits: ChannelLimits
  readonly #pauseAbove: number
  #receiver: ChannelReceiver | undefined
  #batch: Uint8Array[] = []
  #batchBytes = 0
  #isClosing = false
  #isClosed = false
  #turnStart: number | undefined
  #waitsForTurn = false
  #waitsForDrain = false
  #closedBy: Error | undefined

  constructor(stream: Duplex, options: StreamChannelOptions) {
    this.#stream = stream
    this.#limits = options.limits ?? defaultLimits
    // Below the stream's own mark no 'drain' would follow.
    this.#pauseAbove = Math.max(options.pauseReadingAboveBytes ?? Number.POSITIVE_INFINITY, stream.writableHighWaterMark)
    // A stream without an error listener takes the whole process down; the error itself is reported by 'close'.
    stream.on('error', (error) => this.#finish(error))
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver
    const decoder = new FrameDecoder(this.#limits.maxMessageBytes, (message) => {
      receiver.message(message)
      return !this.#mustPause()
    })
    const stream = this.#stream
    if (this.#isClosed) {
      receiver.closed(this.#closedBy)
      return
    }
    stream.on('data', (chunk: Uint8Array) => {
      if (this.#isClosed) return
      this.#turnStart ??= this.#startTurn()
      try {
        const taken = decoder.push(chunk)
        if (this.#mustPause()) stream.pause()
        if (taken < chunk.length && !this.#isClosed) stream.unshift(chunk.subarray(taken))
      } catch (error) {
        this.#finish(error as Error)
      }
    })
    stream.on('end', () => {
      this.#finish(decoder.isIdle ? undefined : new ConfineError('ERR_CONFINE_PROTOCOL', 'The stream ended inside a frame'))
    })
    stream.on('close', () => this.#finish())
  }

  send(message: Uint8Array): void {
    if (this.#isClosing || this.#isClosed) return
    // Messages of one tick leave together: one system call instead of one each.
    if (this.#batch.length === 0) process.nextTick(() => this.#flush())
    this.#batch.push(message)
    this.#batchBytes += frameHeaderBytes + message.length
    if (this.#batchBytes + this.#stream.writableLength > this.#limits.maxQueuedBytes) {
      this.#finish(
        new ConfineError(
          'ERR_CONFINE_LIMIT',
          `More than ${this.#limits.maxQueuedBytes} bytes wait for the other side, which does not read them`,
        ),
      )
    }
  }

  close(): void {
    if (this.#isClosing || this.#isClosed) return
    this.#flush()
    this.#isClosing = true
    this.#stream.end(() => this.#finish())
  }

  #flush(): void {
    const batch = this.#batch
    const bytes = this.#batchBytes
    this.#batch = []
    this.#batchBytes = 0
    if (batch.length === 0 || this.#isClosed || this.#stream.destroyed) return
    if (bytes <= mergeBelowBytes) {
      this.#stream.write(merged(batch, bytes))
      return
    }
    this.#stream.cork()
    for (const message of batch) {
      const header = Buffer.allocUnsafe(frameHeaderBytes)
      writeFrameHeader(header, 0, message.length)
      this.#stream.write(header)
      this.#stream.write(message)
    }
    this.#stream.uncork()
  }

  #mustPause(): boolean {
    if (this.#isClosed) return true
    if (!this.#waitsForDrain && this.#batchBytes + this.#stream.writableLength > this.#pauseAbove) {
      this.#waitsForDrain = true
      this.#stream.once('drain', () => {
        this.#waitsForDrain = false
        this.#readOn()
      })
    }
    this.#waitsForTurn ||= this.#turnStart !== undefined && performance.now() - this.#turnStart > maxTurnMs
    return this.#waitsForDrain || this.#waitsForTurn
  }

  #startTurn(): number {
    setImmediate(() => {
      this.#turnStart = undefined
      if (!this.#waitsForTurn) return
      this.#waitsForTurn = false
      this.#readOn()
    })
    return performance.now()
  }

  #readOn(): void {
    if (!this.#waitsForDrain && !this.#waitsForTurn && !this.#isClosed) this.#stream.resume()
  }

  #finish(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closedBy = error
    this.#batch = []
    this.#stream.destroy()
    this.#receiver?.closed(error)
  }
}

/**
 * How long one turn of the event loop may serve one stream. Node reads a stream that is never empty up to 32 times before
 * it looks at anything else: at full speed that is seconds of calls.
 */
const maxTurnMs = 20

/** Up to here one copy is cheaper than one write per message. */
const mergeBelowBytes = 64 * 1024

function merged(batch: readonly Uint8Array[], bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  let offset = 0
  for (const message of batch) {
    writeFrameHeader(buffer, offset, message.length)
    offset += frameHeaderBytes
    buffer.set(message, offset)
    offset += message.length
  }
  return buffer
}
