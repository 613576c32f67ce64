import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Channel, type ChannelReceiver, ConfineError } from '@confine-sandbox/contract'
import type { ByteSocket } from './byte-socket.ts'
import { FrameDecoder, frameHeaderBytes, writeFrameHeader } from './frame.ts'
import { type ChannelLimits, defaultLimits } from './limits.ts'
import { now } from './now.ts'
import { openPipe, PipeSocket } from './pipe-socket.ts'

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

/** A socket that this process inherited, which keeps it alive unless told otherwise. */
interface InheritedSocket {
  ref(): unknown
  unref(): unknown
}

/** A channel over a socket that this process inherited as a descriptor, and that socket. */
export function inheritedChannel(
  fd: number,
  options: StreamChannelOptions = {},
): { readonly channel: Channel; readonly socket: InheritedSocket } {
  // One buffer for all reads: no allocation for each, and none of a stream's steps between the system and the decoder.
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  let take = (_chunk: Uint8Array): boolean => true
  const read = (length: number) => take(buffer.subarray(0, length))
  const pipe = openPipe(fd)
  const socket = pipe === undefined ? netSocket(fd, buffer, read) : new PipeSocket(pipe, buffer, read)
  const reads: LentReads = {
    memory: buffer.buffer,
    open(reader) {
      take = reader
      socket.resume()
    },
  }
  return { channel: new StreamChannel(socket, options, reads), socket }
}

function netSocket(fd: number, buffer: Buffer, callback: (length: number) => boolean): Socket {
  const net = process.getBuiltinModule('node:net')
  return new net.Socket({ fd, readable: true, writable: true, onread: { buffer, callback } })
}

/** Reads that come in memory which is overwritten by the next one. */
interface LentReads {
  readonly memory: ArrayBufferLike
  /** @param take Takes what was read; returns whether to read on, or else to wait for `resume()`. */
  open(take: (chunk: Uint8Array) => boolean): void
}

class StreamChannel implements Channel {
  readonly #stream: ByteSocket
  readonly #limits: ChannelLimits
  readonly #pauseAbove: number
  #receiver: ChannelReceiver | undefined
  #batch: Uint8Array[] = []
  #batchBytes = 0
  #isClosing = false
  #isClosed = false
  /** Time that was spent on what arrived in this turn of the event loop, milliseconds; small change is carried over. */
  #busyMs = 0
  #chunkStart = 0
  #looksForTurn = false
  /** What of the last chunk was not taken yet. */
  #readRest: (() => boolean) | undefined
  readonly #reads: LentReads | undefined
  #waitsForTurn = false
  #waitsForDrain = false
  #closedBy: Error | undefined

  constructor(stream: Duplex, options: StreamChannelOptions)
  constructor(socket: ByteSocket, options: StreamChannelOptions, reads: LentReads)
  constructor(stream: ByteSocket, options: StreamChannelOptions, reads?: LentReads) {
    this.#reads = reads
    this.#stream = stream
    this.#limits = options.limits ?? defaultLimits
    // Below the stream's own mark no 'drain' would follow.
    this.#pauseAbove = Math.max(options.pauseReadingAboveBytes ?? Number.POSITIVE_INFINITY, stream.writableHighWaterMark)
    // A stream without an error listener takes the whole process down; the error itself is reported by 'close'.
    stream.on('error', (error) => this.#finish(error))
    // The other side may be gone before anybody listens here.
    stream.on('close', () => this.#finish())
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver
    const decoder = new FrameDecoder(this.#limits.maxMessageBytes, (message) => {
      // The receiver may keep it.
      receiver.message(message.buffer === this.#reads?.memory ? Buffer.from(message) : message)
      return !this.#mustPause()
    })
    const stream = this.#stream
    if (stream.destroyed) this.#isClosed = true
    if (this.#isClosed) {
      receiver.closed(this.#closedBy)
      return
    }
    const take = (chunk: Uint8Array) => {
      if (this.#isClosed) return chunk.length
      this.#chunkStart = now()
      let taken = chunk.length
      try {
        taken = decoder.push(chunk)
      } catch (error) {
        this.#finish(error as Error)
      }
      this.#busyMs += now() - this.#chunkStart
      if (this.#busyMs > smallChangeMs) this.#lookForTurn()
      return taken
    }
    if (this.#reads === undefined) this.#readEvents(take)
    else this.#reads.open((chunk) => this.#takeLent(chunk, take))
    stream.on('end', () => {
      this.#finish(decoder.isIdle ? undefined : new ConfineError('ERR_CONFINE_PROTOCOL', 'The stream ended inside a frame'))
    })
  }

  #readEvents(take: (chunk: Uint8Array) => number): void {
    const stream = this.#stream as Duplex
    stream.on('data', (chunk: Uint8Array) => {
      const taken = take(chunk)
      if (this.#mustPause()) stream.pause()
      if (taken < chunk.length && !this.#isClosed) stream.unshift(chunk.subarray(taken))
    })
  }

  /** Takes bytes that are overwritten once this returns. @returns Whether to read on. */
  #takeLent(chunk: Uint8Array, take: (chunk: Uint8Array) => number): boolean {
    const taken = take(chunk)
    if (!this.#mustPause()) return true
    if (taken < chunk.length && !this.#isClosed) {
      const rest = Buffer.from(chunk.subarray(taken))
      this.#readRest = () => this.#takeLent(rest, take)
    }
    return false
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
    if (!this.#waitsForTurn && this.#busyMs + now() - this.#chunkStart > maxTurnMs) {
      this.#waitsForTurn = true
      this.#lookForTurn()
    }
    return this.#waitsForDrain || this.#waitsForTurn
  }

  #lookForTurn(): void {
    if (this.#looksForTurn) return
    this.#looksForTurn = true
    setImmediate(() => {
      this.#looksForTurn = false
      this.#busyMs = 0
      if (!this.#waitsForTurn) return
      this.#waitsForTurn = false
      this.#readOn()
    })
  }

  #readOn(): void {
    if (this.#waitsForDrain || this.#waitsForTurn || this.#isClosed) return
    const readRest = this.#readRest
    this.#readRest = undefined
    if (readRest?.() !== false) this.#stream.resume()
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

/** As much as libuv reads at once from a socket that has more. */
const readBytes = 64 * 1024

/** To ask for the next turn costs as much as a seventh of a call: it is asked once this much was spent. */
const smallChangeMs = 1

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
