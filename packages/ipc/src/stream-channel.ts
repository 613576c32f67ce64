import type { Duplex } from 'node:stream'
import { type Channel, type ChannelReceiver, ConfineError } from '@confine-sandbox/contract'
import type { ByteSocket } from './byte-socket.ts'
import { FrameDecoder, frameHeaderBytes, writeAttachmentHeader, writeFrameHeader } from './frame.ts'
import { type FrameChannel, type FrameChannelReceiver, shortMessageBytes } from './frame-channel.ts'
import { keepLastWords } from './last-words.ts'
import { type ChannelLimits, defaultLimits } from './limits.ts'
import { Outbox } from './outbox.ts'
import { TurnBudget } from './turn-budget.ts'

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

/** A channel over a socket of which more is known. */
export function socketChannel(socket: ByteSocket, options: StreamChannelOptions, own: OwnSocket): Channel {
  return new StreamChannel(socket, options, own)
}

/** What is known of a socket that nobody else reads: it is used with fewer steps than a stream. */
export interface OwnSocket {
  /** What was read comes in this memory, and is overwritten by the next read. */
  readonly memory: ArrayBufferLike
  /** @param take Takes what was read; returns whether to read on, or else to wait for `resume()`. */
  open(take: (chunk: Buffer) => boolean): void
  /** Writes what can be written at once. Only while nothing waits in the stream. Returns how many bytes that were. */
  write?(bytes: Buffer, length: number): number
}

class StreamChannel implements FrameChannel {
  readonly #stream: ByteSocket
  readonly #limits: ChannelLimits
  readonly #pauseAbove: number
  readonly #own: OwnSocket | undefined
  /** Whether what was written is in the system's hands as soon as nothing waits in the stream. */
  readonly #isSocket: boolean
  readonly #outbox = new Outbox()
  readonly #turn = new TurnBudget(() => this.#readOn())
  #closed: ((error?: Error) => void) | undefined
  #isClosing = false
  #isClosed = false
  #willFlush = false
  /** Whether the last message came alone, and nothing was sent since. */
  #isAsked = false
  /** What was read and not taken yet, and what takes it: of an own socket, and of others that take nothing back. */
  #rest: { bytes: Buffer; readonly take: (chunk: Buffer) => number } | undefined
  /** The socket has ended behind the rest: ends the channel when that is taken. Nothing can be written any more. */
  #endOfRest: (() => void) | undefined
  #waitsForDrain = false
  #closedBy: Error | undefined

  constructor(stream: Duplex, options: StreamChannelOptions)
  constructor(socket: ByteSocket, options: StreamChannelOptions, own: OwnSocket)
  constructor(stream: ByteSocket, options: StreamChannelOptions, own?: OwnSocket) {
    this.#own = own
    this.#stream = stream
    this.#isSocket = own !== undefined || stream instanceof process.getBuiltinModule('node:net').Socket
    this.#limits = options.limits ?? defaultLimits
    // Below the stream's own mark no 'drain' would follow.
    this.#pauseAbove = Math.max(options.pauseReadingAboveBytes ?? Number.POSITIVE_INFINITY, stream.writableHighWaterMark)
    // A stream without an error listener takes the whole process down; the error itself is reported by 'close'.
    stream.on('error', (error) => {
      if (this.#endOfRest !== undefined) return
      if (this.#rest === undefined) this.#finish(error)
      else this.#endOfRest = () => this.#finish(error)
    })
    // The other side may be gone before anybody listens here.
    stream.on('close', () => {
      if (this.#endOfRest === undefined || this.#waitsForDrain) this.#finish()
    })
  }

  open(receiver: ChannelReceiver): void {
    this.openFrames({
      frame: (memory, start, end) => {
        const message = memory.subarray(start, end)
        // The receiver may keep it.
        receiver.message(memory.buffer === this.#own?.memory ? Buffer.from(message) : message)
      },
      attachment: () => {
        throw new ConfineError('ERR_CONFINE_PROTOCOL', 'Received an attachment, which nobody takes here')
      },
      closed: (error) => receiver.closed(error),
    })
  }

  openFrames(receiver: FrameChannelReceiver): void {
    this.#closed = (error) => receiver.closed(error)
    const decoder = new FrameDecoder(this.#limits.maxMessageBytes, {
      message: (memory, start, end) => {
        this.#isAsked = start === frameHeaderBytes && end === memory.length
        receiver.frame(memory, start, end)
        return !this.#mustPause(end - start)
      },
      attachment: (bytes) => {
        receiver.attachment(bytes)
        return !this.#mustPause(bytes.length)
      },
    })
    const stream = this.#stream
    if (stream.destroyed) this.#isClosed = true
    if (this.#isClosed) {
      receiver.closed(this.#closedBy)
      return
    }
    const take = (chunk: Buffer) => {
      if (this.#isClosed) return chunk.length
      this.#turn.begin(chunk.length)
      let taken = chunk.length
      try {
        taken = decoder.push(chunk)
      } catch (error) {
        this.#finish(error as Error)
      }
      this.#turn.end()
      return taken
    }
    if (hasHandle(stream)) keepLastWords(stream, (bytes, error) => this.#takeLastWords(bytes, take, error))
    if (this.#own === undefined) this.#readEvents(take)
    else this.#own.open((chunk) => this.#takeLent(chunk, take))
    stream.on('end', () => {
      const finish = () =>
        this.#finish(decoder.isIdle ? undefined : new ConfineError('ERR_CONFINE_PROTOCOL', 'The stream ended inside a frame'))
      if (this.#rest === undefined) finish()
      else this.#endOfRest ??= finish
    })
  }

  #readEvents(take: (chunk: Buffer) => number): void {
    const stream = this.#stream as Duplex
    stream.on('data', (chunk: Buffer) => {
      const taken = take(chunk)
      if (this.#isPausing) stream.pause()
      if (taken === chunk.length || this.#isClosed) return
      // Once a write has failed, Node takes nothing back.
      if (stream.errored === null) stream.unshift(chunk.subarray(taken))
      else this.#rest = { bytes: chunk.subarray(taken), take }
    })
  }

  /** Takes bytes that are overwritten once this returns. @returns Whether to read on. */
  #takeLent(chunk: Buffer, take: (chunk: Buffer) => number): boolean {
    if (this.#rest !== undefined) {
      // It was resumed by somebody else: child_process does that to all streams of a process that has exited.
      this.#rest.bytes = Buffer.concat([this.#rest.bytes, chunk])
      return false
    }
    const taken = take(chunk)
    if (!this.#isPausing) return true
    if (taken < chunk.length && !this.#isClosed) this.#rest = { bytes: Buffer.from(chunk.subarray(taken)), take }
    return false
  }

  /** @returns Whether to read on. */
  #takeRest(): boolean {
    const rest = this.#rest
    if (rest === undefined) return true
    this.#rest = undefined
    const readsOn = this.#takeLent(rest.bytes, rest.take)
    if (this.#rest === undefined) this.#endOfRest?.()
    return readsOn
  }

  /** Nothing can be written any more. What the other side said before is taken in its turn, and then the channel ends. */
  #takeLastWords(bytes: Buffer, take: (chunk: Buffer) => number, error: Error): void {
    const rest = this.#rest?.bytes ?? noBytes
    if (this.#isClosed || rest.length + bytes.length === 0) return
    this.#rest = { bytes: Buffer.concat([rest, bytes]), take }
    this.#endOfRest ??= () => this.#finish(error)
    this.#waitsForDrain = false
    setImmediate(() => this.#readOn())
  }

  send(message: Uint8Array): void {
    if (message.length < shortMessageBytes) this.sendShort(asBuffer(message), message.length)
    else this.#sendLong(message, writeFrameHeader)
  }

  sendAttachment(bytes: Uint8Array, left: () => void): void {
    // Any other stream may hand the memory on.
    this.#sendLong(bytes, writeAttachmentHeader, this.#isSocket ? left : undefined)
  }

  sendShort(memory: Buffer, length: number): void {
    if (this.#isClosing || this.#isClosed) return
    if (!this.#outbox.hasRoomFor(length)) this.#flush()
    this.#outbox.add(memory, length)
    // Who sent one message alone waits for one.
    const isAwaited = this.#isAsked
    this.#isAsked = false
    // Many do not wait for the last of them: the other side can begin.
    if (isAwaited || this.#outbox.messages >= messagesTogether) this.#flush()
    else if (!this.#willFlush) {
      // Messages of one tick leave together: one system call instead of one each.
      this.#willFlush = true
      process.nextTick(this.#flushInTurn)
    }
    this.#checkQueue()
  }

  #sendLong(bytes: Uint8Array, writeHeader: (target: Uint8Array, offset: number, length: number) => void, left?: () => void): void {
    if (this.#isClosing || this.#isClosed) return
    this.#flush()
    if (this.#stream.destroyed || this.#endOfRest !== undefined) return
    const header = Buffer.allocUnsafe(frameHeaderBytes)
    writeHeader(header, 0, bytes.length)
    this.#stream.cork()
    this.#stream.write(header)
    this.#stream.write(bytes, left)
    this.#stream.uncork()
    this.#checkQueue()
  }

  close(): void {
    if (this.#isClosing || this.#isClosed) return
    this.#flush()
    this.#isClosing = true
    this.#stream.end(() => this.#finish())
  }

  readonly #flushInTurn = (): void => {
    this.#willFlush = false
    this.#flush()
  }

  #flush(): void {
    const outbox = this.#outbox
    const { length, memory } = outbox
    if (length === 0) return
    const stream = this.#stream
    if (this.#isClosed || stream.destroyed || this.#endOfRest !== undefined) {
      outbox.clear()
      return
    }
    const written = stream.writableLength === 0 ? (this.#own?.write?.(memory, length) ?? 0) : 0
    if (written < length) {
      stream.write(memory.subarray(written, length))
      // It may still be read from there.
      if (!this.#isSocket || stream.writableLength > 0) outbox.giveUp()
    }
    outbox.clear()
  }

  #checkQueue(): void {
    if (this.#outbox.length + this.#stream.writableLength <= this.#limits.maxQueuedBytes) return
    this.#finish(
      new ConfineError(
        'ERR_CONFINE_LIMIT',
        `More than ${this.#limits.maxQueuedBytes} bytes wait for the other side, which does not read them`,
      ),
    )
  }

  get #isPausing(): boolean {
    return this.#isClosed || this.#waitsForDrain || this.#turn.isOver
  }

  #mustPause(messageBytes: number): boolean {
    if (!this.#waitsForDrain && this.#outbox.length + this.#stream.writableLength > this.#pauseAbove) this.#waitForDrain()
    this.#turn.look(messageBytes)
    return this.#isPausing
  }

  #waitForDrain(): void {
    // Nothing but what is in the stream is ever drained.
    this.#flush()
    if (this.#endOfRest !== undefined || this.#stream.writableLength <= this.#pauseAbove) return
    this.#waitsForDrain = true
    this.#stream.once('drain', () => {
      this.#waitsForDrain = false
      this.#readOn()
    })
  }

  #readOn(): void {
    if (this.#isPausing) return
    if (this.#takeRest()) this.#stream.resume()
  }

  #finish(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closedBy = error
    this.#outbox.clear()
    this.#stream.destroy()
    this.#closed?.(error)
  }
}

/** So many short messages leave at once, before the tick is over. */
const messagesTogether = 64

const noBytes = Buffer.alloc(0)

/** Whether it is one of Node's sockets. */
function hasHandle(stream: object): stream is Duplex {
  return '_handle' in stream
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
