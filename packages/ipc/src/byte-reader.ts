import { ConfineError } from '@confine-sandbox/contract'
import { ShortStrings, shortBelow } from './short-strings.ts'

/** Reads messages, each from its start to its end. Every read is checked against what is left. */
export class ByteReader {
  #buffer: Buffer = Buffer.alloc(0)
  #offset = 0
  #end = 0
  readonly #strings = new ShortStrings()

  /** Begins with a message: some bytes of a larger memory. */
  reset(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer
    this.#offset = start
    this.#end = end
  }

  /** How many bytes were not read yet. */
  get left(): number {
    return this.#end - this.#offset
  }

  /** @throws ERR_CONFINE_PROTOCOL unless everything was read. */
  end(): void {
    if (this.left !== 0) throw malformed(`${this.left} bytes follow the message`)
  }

  byte(): number {
    if (this.#offset >= this.#end) throw tooShort()
    return this.#buffer[this.#offset++] as number
  }

  varint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    let factor = 0x80
    for (let i = 1; i < 8; i++) {
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
    const start = this.#offset
    this.#offset += length
    if (length < shortBelow) return this.#strings.read(this.#buffer, start, this.#offset)
    return this.#buffer.toString('latin1', start, this.#offset)
  }

  utf16(length: number): string {
    if (length % 2 !== 0) throw malformed('half a character')
    this.#need(length)
    const start = this.#offset
    this.#offset += length
    return this.#buffer.toString('utf16le', start, this.#offset)
  }

  #need(bytes: number): void {
    if (bytes > this.left) throw tooShort()
  }
}

/** The error for bytes that are no message. */
export function malformed(reason: string): ConfineError {
  return new ConfineError('ERR_CONFINE_PROTOCOL', `Received a malformed message: ${reason}`)
}

function tooShort(): ConfineError {
  return malformed('the message ends too early')
}

/** Below this length the engine clears memory faster than it is asked not to. */
const clearBelowBytes = 16 * 1024
