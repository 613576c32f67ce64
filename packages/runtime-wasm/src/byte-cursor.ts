/** Reads a module's bytes from the front. @throws RangeError at their end. */
export class ByteCursor {
  readonly #bytes: Uint8Array
  /** Where the next byte is read. */
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.position >= this.#bytes.length
  }

  peek(): number | undefined {
    return this.#bytes[this.position]
  }

  byte(): number {
    const byte = this.#bytes[this.position++]
    if (byte === undefined) throw new RangeError('The module ends in the middle')
    return byte
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.position) throw new RangeError('The module ends in the middle')
    this.position += length
    return this.#bytes.subarray(this.position - length, this.position)
  }

  /** A number in LEB128, of at most 32 bits. */
  unsigned(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw new RangeError('The module has a number that is too long')
  }

  /** Passes over a signed number. */
  signed(): void {
    for (let length = 0; length < 5; length++) if (this.byte() < 128) return
    throw new RangeError('The module has a number that is too long')
  }

  text(): string {
    return new TextDecoder().decode(this.take(this.unsigned()))
  }
}
