import { system } from 'confine:system'

/** The web's TextEncoder. */
export class TextEncoder {
  get encoding(): string {
    return 'utf-8'
  }

  encode(input: unknown = ''): Uint8Array {
    const text = String(input)
    const bytes = new Uint8Array(text.length * 3)
    return bytes.slice(0, write(text, bytes).written)
  }

  encodeInto(source: unknown, destination: Uint8Array): { read: number; written: number } {
    return write(String(source), destination)
  }
}

/** Writes as many whole characters as fit. A surrogate without its other half becomes U+FFFD. */
function write(text: string, bytes: Uint8Array): { read: number; written: number } {
  let written = 0
  let read = 0
  while (read < text.length) {
    let code = text.codePointAt(read)!
    const units = code > 0xffff ? 2 : 1
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (written + size > bytes.length) break
    if (size === 1) bytes[written] = code
    else {
      for (let index = size - 1; index > 0; index--, code >>= 6) bytes[written + index] = 0x80 | (code & 0x3f)
      bytes[written] = [0, 0, 0xc0, 0xe0, 0xf0][size]! | code
    }
    written += size
    read += units
  }
  return { read, written }
}

/** The web's TextDecoder: of all its encodings, in pieces of those that are Unicode or have one byte a character. */
export class TextDecoder {
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  #kept: Uint8Array = new Uint8Array()
  #isFirst = true

  constructor(label: unknown = 'utf-8', { fatal = false, ignoreBOM = false }: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const encoding = system('encoding', String(label))
    if (encoding === undefined) {
      throw Object.assign(new RangeError(`The "${String(label)}" encoding is not supported`), { code: 'ERR_ENCODING_NOT_SUPPORTED' })
    }
    this.encoding = encoding
    this.fatal = Boolean(fatal)
    this.ignoreBOM = Boolean(ignoreBOM)
  }

  decode(input?: ArrayBuffer | ArrayBufferView, { stream = false }: { stream?: boolean } = {}): string {
    const given = bytesOf(input)
    const bytes = this.#kept.length === 0 ? given : joined(this.#kept, given)
    const whole = stream ? wholeLength(this.encoding, bytes) : bytes.length
    this.#kept = bytes.slice(whole)
    const text = decoded(this.encoding, bytes.subarray(0, whole), this.fatal)
    if (text === undefined) {
      this.#kept = new Uint8Array()
      this.#isFirst = true
      throw Object.assign(new TypeError(`The encoded data was not valid for encoding ${this.encoding}`), {
        code: 'ERR_ENCODING_INVALID_ENCODED_DATA',
      })
    }
    const isStart = this.#isFirst && text !== ''
    this.#isFirst = stream ? this.#isFirst && !isStart : true
    return isStart && !this.ignoreBOM && text.startsWith('\uFEFF') ? text.slice(1) : text
  }
}

function decoded(encoding: string, bytes: Uint8Array, isFatal: boolean): string | undefined {
  // Most texts are short and ASCII: they need not leave the isolate.
  if (encoding === 'utf-8' && bytes.length <= 1024 && bytes.every((byte) => byte < 0x80)) return String.fromCharCode(...bytes)
  // The copy outside does not count against this isolate's memory, so it is taken in pieces.
  if (bytes.length <= pieceBytes || !encoding.startsWith('utf-')) return system('decode', encoding, bytes, isFatal)
  let text = ''
  for (let start = 0; start < bytes.length; ) {
    const piece = bytes.subarray(start, start + pieceBytes)
    const length = start + piece.length === bytes.length ? piece.length : wholeLength(encoding, piece)
    const part = system('decode', encoding, piece.subarray(0, length), isFatal)
    if (part === undefined) return undefined
    text += part
    start += length
  }
  return text
}

const pieceBytes = 1024 * 1024

/** How many bytes make whole characters. */
function wholeLength(encoding: string, bytes: Uint8Array): number {
  if (encoding.startsWith('utf-16')) {
    const even = bytes.length & ~1
    const high = bytes[encoding === 'utf-16le' ? even - 1 : even - 2] ?? 0
    return high >= 0xd8 && high <= 0xdb ? even - 2 : even
  }
  if (encoding !== 'utf-8') return bytes.length
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function bytesOf(input: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (input === undefined) return new Uint8Array()
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  if (Object.prototype.toString.call(input) === '[object ArrayBuffer]') return new Uint8Array(input)
  throw Object.assign(new TypeError('The "input" argument must be an instance of ArrayBuffer or ArrayBufferView'), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
