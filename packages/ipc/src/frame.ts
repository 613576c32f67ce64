import { ConfineError } from '@confine-sandbox/contract'

/** A frame is a message behind its length: 4 bytes, unsigned, little endian. An empty message is no message. */
export const frameHeaderBytes = 4

/** Writes the header of a message of `length` bytes. */
export function writeFrameHeader(target: Buffer, offset: number, length: number): void {
  target.writeUInt32LE(length, offset)
}

/**
 * Cuts a byte stream into messages. Each message is delivered once and whole; one that came in a single chunk is a view
 * of that chunk, a longer one is gathered in a buffer of its own, so every byte is copied at most once.
 */
export class FrameDecoder {
  readonly #maxMessageBytes: number
  readonly #deliver: (message: Uint8Array) => boolean
  readonly #header = Buffer.alloc(frameHeaderBytes)
  #headerBytes = 0
  #body: Buffer | undefined
  #bodyBytes = 0

  /** @param deliver Takes a message; returns whether it wants more of the same push. */
  constructor(maxMessageBytes: number, deliver: (message: Uint8Array) => boolean) {
    this.#maxMessageBytes = maxMessageBytes
    this.#deliver = deliver
  }

  /** Whether the stream stands between two frames: where it may end. */
  get isIdle(): boolean {
    return this.#headerBytes === 0 && this.#body === undefined
  }

  /**
   * Takes the next bytes of the stream.
   * @returns How many it took: fewer than there are when `deliver` wanted no more. Push the rest later.
   * @throws ERR_CONFINE_PROTOCOL for a frame that is empty or longer than the maximum, before its body is buffered.
   */
  push(chunk: Uint8Array): number {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#body === undefined) {
        offset = this.#readHeader(chunk, offset)
        if (this.#headerBytes < frameHeaderBytes) break
        const length = this.#checkedLength()
        if (chunk.length - offset >= length) {
          this.#headerBytes = 0
          offset += length
          if (!this.#deliver(chunk.subarray(offset - length, offset))) break
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

  #readHeader(chunk: Uint8Array, offset: number): number {
    while (this.#headerBytes < frameHeaderBytes && offset < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[offset++] as number
    }
    return offset
  }

  #checkedLength(): number {
    const length = this.#header.readUInt32LE(0)
    if (length === 0) throw new ConfineError('ERR_CONFINE_PROTOCOL', 'Received an empty frame')
    if (length > this.#maxMessageBytes) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received a frame of ${length} bytes; the largest allowed is ${this.#maxMessageBytes}`)
    }
    return length
  }

  #readBody(body: Buffer, chunk: Uint8Array, offset: number): number {
    const take = Math.min(body.length - this.#bodyBytes, chunk.length - offset)
    body.set(chunk.subarray(offset, offset + take), this.#bodyBytes)
    this.#bodyBytes += take
    if (this.#bodyBytes === body.length) {
      this.#body = undefined
      this.#headerBytes = 0
    }
    return offset + take
  }
}
