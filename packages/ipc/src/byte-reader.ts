import { ConfineError } from '@confine-sandbox/contract'

/** Reads a message from its start to its end. Every read is checked against what is left. */
export class ByteReader {
  readonly #buffer: Buffer
  #offset = 0

  constructor(message: Uint8Array) {
    this.#buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  }

  /** How many bytes were not read yet. */
  get left(): number {
    return this.#buffer.length - this.#offset
  }

  /** @throws ERR_CONFINE_PROTOCOL unless everything was read. */
  end(): void {
    if (this.left !== 0) throw malformed(`${this.left} bytes follow the message`)
  }

  byte(): number {
    this.#need(1)
    return this.#buffer[this.#offset++] as number
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      factor *= 0x80
    }
    throw malformed('a number is too large')
  }

  /** An unsigned integer of up to six bytes. */
  unsigned(length: number): number {
    this.#need(length)
    const value = this.#buffer.readUIntLE(this.#offset, length)
    this.#offset += length
    return value
  }

  /** A count of things that take at least `bytesEach` bytes each: it cannot be larger than what is left. */
  count(bytesEach: number): number {
    const count = this.varint()
    if (count * bytesEach > this.left) throw malformed('a count is larger than the message')
    return count
  }

  double(): number {
    this.#need(8)
    const value = this.#buffer.readDoubleLE(this.#offset)
    this.#offset += 8
    return value
  }

  /** The next bytes, in memory of their own. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    this.#need(length)
    // Every byte of it is written on the next line, so nothing has to be cleared before.
    const bytes = length < clearBelowBytes ? new Uint8Array(length) : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer)
    bytes.set(this.#buffer.subarray(this.#offset, this.#offset + length))
    this.#offset += length
    return bytes
  }

  latin1(length: number): string {
    this.#need(length)
    const end = this.#offset + length
    if (length < readByHandBelow) {
      let text = ''
      while (this.#offset < end) text += String.fromCharCode(this.#buffer[this.#offset++] as number)
      return text
    }
    const text = this.#buffer.toString('latin1', this.#offset, end)
    this.#offset = end
    return text
  }

  utf16(length: number): string {
    if (length % 2 !== 0) throw malformed('half a character')
    this.#need(length)
    const end = this.#offset + length
    const text = this.#buffer.toString('utf16le', this.#offset, end)
    this.#offset = end
    return text
  }

  #need(bytes: number): void {
    if (bytes > this.left) throw malformed('the message ends too early')
  }
}

/** The error for bytes that are no message. */
export function malformed(reason: string): ConfineError {
  return new ConfineError('ERR_CONFINE_PROTOCOL', `Received a malformed message: ${reason}`)
}

const readByHandBelow = 16

/** Below this length the engine clears memory faster than it is asked not to. */
const clearBelowBytes = 16 * 1024
