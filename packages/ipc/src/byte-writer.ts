import { ConfineError } from '@confine-sandbox/contract'

/** A growing buffer with a checked maximum. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(4096)
  #length = 0
  #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** How many bytes were written since the last reset. */
  get length(): number {
    return this.#length
  }

  /** The memory in which they are, from its start: until the next reset, and not one byte further. */
  get memory(): Buffer {
    return this.#buffer
  }

  /** Starts a new message; the memory of the last one is used again unless it was large. */
  reset(): void {
    this.#length = 0
    if (this.#buffer.length > keepBelowBytes) this.#buffer = Buffer.allocUnsafeSlow(4096)
  }

  /** What was written since the last reset, in memory of its own. */
  take(): Buffer {
    const written = this.#buffer.subarray(0, this.#length)
    if (this.#length <= keepBelowBytes) return Buffer.from(written)
    // To copy that much takes longer than to begin anew.
    this.#buffer = Buffer.allocUnsafeSlow(4096)
    this.#length = 0
    return written
  }

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1)
    this.#buffer[this.#length++] = value
  }

  /** An unsigned integer below 2^53, seven bits a byte, least significant first. */
  varint(value: number): void {
    if (this.#length + 8 > this.#buffer.length) this.#grow(8)
    const buffer = this.#buffer
    let at = this.#length
    let rest = value
    while (rest >= 0x80) {
      if (rest <= 0x7fffffff) {
        buffer[at++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      } else {
        buffer[at++] = (rest % 0x80) | 0x80
        rest = Math.floor(rest / 0x80)
      }
    }
    buffer[at++] = rest
    this.#length = at
  }

  double(value: number): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  latin1(value: string): void {
    this.#reserve(value.length)
    if (value.length < writeByHandBelow) {
      for (let i = 0; i < value.length; i++) this.#buffer[this.#length++] = value.charCodeAt(i)
    } else {
      this.#length += this.#buffer.write(value, this.#length, 'latin1')
    }
  }

  utf16(value: string): void {
    this.#reserve(value.length * 2)
    this.#length += this.#buffer.write(value, this.#length, 'utf16le')
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    const needed = this.#length + bytes
    if (needed > this.#maxBytes) throw tooLong(this.#maxBytes)
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** The error for a message that is longer than it may be. */
export function tooLong(maxBytes: number): ConfineError {
  return new ConfineError('ERR_CONFINE_LIMIT', `A message would be longer than the ${maxBytes} bytes that are allowed. Send it in parts`)
}

const keepBelowBytes = 256 * 1024
/** Below this length a loop beats the call into C++. */
const writeByHandBelow = 24
