import { ConfineError } from '@confine-sandbox/contract'

/**
 * A frame is a message behind its length: 4 bytes, unsigned, little endian. An empty message is no message. When the highest
 * bit of the length is set, the frame is no message but an attachment: bytes that belong to the next message.
 */
export const frameHeaderBytes = 4

/** Shorter ones are no attachments: to send them apart would cost more than to copy them once more. */
export const minAttachmentBytes = 128 * 1024

/** Writes the header of a message of `length` bytes. */
export function writeFrameHeader(target: Uint8Array, offset: number, length: number): void {
  target[offset] = length
  target[offset + 1] = length >>> 8
  target[offset + 2] = length >>> 16
  target[offset + 3] = length >>> 24
}

/** Writes the header of an attachment of `length` bytes. */
export function writeAttachmentHeader(target: Uint8Array, offset: number, length: number): void {
  writeFrameHeader(target, offset, length)
  target[offset + 3] = (target[offset + 3] as number) | 0x80
}

/** Where a decoder delivers. Each member returns whether it wants more of the same push. */
export interface FrameReceiver {
  /** A message, whole: the bytes of `memory` from `start` to `end`, until this returns. */
  message(memory: Buffer, start: number, end: number): boolean
  /** An attachment of the next message, whole and in memory of its own. */
  attachment(bytes: Uint8Array<ArrayBuffer>): boolean
}

/**
 * Cuts a byte stream into messages. Each message is delivered once and whole: where it lies, when it came in a single chunk;
 * a longer one is gathered in memory of its own, so every byte is copied at most once.
 */
export class FrameDecoder {
  readonly #maxMessageBytes: number
  readonly #receiver: FrameReceiver
  readonly #header = new Uint8Array(frameHeaderBytes)
  #headerBytes = 0
  #body: Buffer | undefined
  #bodyBytes = 0
  #isAttachment = false
  /** Of attachments whose message did not come yet. */
  #attachedBytes = 0

  constructor(maxMessageBytes: number, receiver: FrameReceiver) {
    this.#maxMessageBytes = maxMessageBytes
    this.#receiver = receiver
  }

  /** Whether the stream stands between two messages: where it may end. */
  get isIdle(): boolean {
    return this.#headerBytes === 0 && this.#body === undefined && this.#attachedBytes === 0
  }

  /**
   * Takes the next bytes of the stream.
   * @returns How many it took: fewer than there are when the receiver wanted no more. Push the rest later.
   * @throws ERR_CONFINE_PROTOCOL for a frame that is empty or longer than the maximum, before its body is buffered; attachments
   *   count with their message.
   */
  push(chunk: Buffer): number {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#body === undefined) {
        const left = chunk.length - offset
        let length: number
        if (this.#headerBytes === 0 && left >= frameHeaderBytes) {
          length = this.#lengthIn(chunk, offset)
          offset += frameHeaderBytes
        } else {
          offset = this.#readHeader(chunk, offset)
          if (this.#headerBytes < frameHeaderBytes) break
          length = this.#lengthIn(this.#header, 0)
        }
        if (!this.#isAttachment && chunk.length - offset >= length) {
          this.#headerBytes = 0
          this.#attachedBytes = 0
          offset += length
          if (!this.#receiver.message(chunk, offset - length, offset)) break
          continue
        }
        // Memory of an untouched allocation is not resident: a peer that announces much and sends nothing costs nothing.
        this.#body = Buffer.allocUnsafeSlow(length)
        this.#bodyBytes = 0
      }
      const body = this.#body
      offset = this.#readBody(body, chunk, offset)
      if (this.#body === undefined && !this.#deliver(body)) break
    }
    return offset
  }

  #readHeader(chunk: Buffer, start: number): number {
    let offset = start
    while (this.#headerBytes < frameHeaderBytes && offset < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[offset++] as number
    }
    return offset
  }

  /** The length that a header tells, checked. */
  #lengthIn(header: Uint8Array, offset: number): number {
    const high = header[offset + 3] as number
    this.#isAttachment = high >= 0x80
    const length =
      ((header[offset] as number) |
        ((header[offset + 1] as number) << 8) |
        ((header[offset + 2] as number) << 16) |
        ((high & 0x7f) << 24)) >>>
      0
    if (length === 0) throw new ConfineError('ERR_CONFINE_PROTOCOL', 'Received an empty frame')
    if (length + this.#attachedBytes > this.#maxMessageBytes) {
      throw new ConfineError(
        'ERR_CONFINE_PROTOCOL',
        `Received a frame of ${length + this.#attachedBytes} bytes; the largest allowed is ${this.#maxMessageBytes}`,
      )
    }
    if (this.#isAttachment && length < minAttachmentBytes) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received an attachment of ${length} bytes; the shortest has ${minAttachmentBytes}`)
    }
    return length
  }

  #readBody(body: Buffer, chunk: Buffer, offset: number): number {
    const take = Math.min(body.length - this.#bodyBytes, chunk.length - offset)
    chunk.copy(body, this.#bodyBytes, offset, offset + take)
    this.#bodyBytes += take
    if (this.#bodyBytes === body.length) {
      this.#body = undefined
      this.#headerBytes = 0
    }
    return offset + take
  }

  #deliver(body: Buffer): boolean {
    if (!this.#isAttachment) {
      this.#attachedBytes = 0
      return this.#receiver.message(body, 0, body.length)
    }
    this.#attachedBytes += body.length
    return this.#receiver.attachment(new Uint8Array(body.buffer as ArrayBuffer))
  }
}
