/**
 * The tags of the value encoding. A value is a tag byte and what the tag says. Lengths, counts and references are
 * unsigned varints (LEB128); numbers are little endian.
 */
export const tag = Object.freeze({
  undefined: 0x00,
  null: 0x01,
  true: 0x02,
  false: 0x03,
  /** varint: an integer from 0 to 2^32 - 1. */
  positive: 0x04,
  /** varint: the absolute value of an integer from -1 to -(2^32 - 1). */
  negative: 0x05,
  /** 8 bytes. */
  double: 0x06,
  /** sign byte, varint count, that many bytes, least significant first. */
  bigint: 0x07,
  /** varint count of bytes, one byte per character up to U+00FF. */
  latin1: 0x08,
  /** varint count of bytes, two per UTF-16 code unit, lone surrogates included. */
  utf16: 0x09,
  /** varint index of an object that this message already holds. */
  reference: 0x0a,
  /** varint count, that many values or holes. */
  array: 0x0b,
  /** An element that an array lacks. */
  hole: 0x0c,
  /** varint count, that many pairs of a string and a value. */
  object: 0x0d,
  /** varint count, that many pairs of values. */
  map: 0x0e,
  /** varint count, that many values. */
  set: 0x0f,
  /** 8 bytes: milliseconds since the epoch, or NaN. */
  date: 0x10,
  /** two strings: source and flags. */
  regexp: 0x11,
  /** three strings (name, message, stack), then an object of further own fields. */
  error: 0x12,
  /** varint count, that many bytes. */
  arrayBuffer: 0x13,
  /** kind byte, varint count of bytes, those bytes. */
  view: 0x14,
  /** a primitive: the value of a Number, String, Boolean or BigInt object. */
  boxed: 0x15,
  /** varint: the sender's number for one of its functions. */
  callback: 0x16,
  /** varint: the sender's number for one of its streams. */
  stream: 0x17,
  /** An ArrayBuffer that came as an attachment, the next of this message. */
  attachedArrayBuffer: 0x18,
  /** kind byte: a view of a whole ArrayBuffer that came as an attachment, the next of this message. */
  attachedView: 0x19,
})

/** The views over an ArrayBuffer; a view's kind byte is its place in this list. Append only. */
export const viewKinds = Object.freeze([
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'DataView',
] as const)

/** The errors that keep their class; all others arrive as Error with their name. */
export const errorNames: ReadonlySet<string> = new Set([
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
])

/**
 * Keys that hold no function in anything that crosses: the language calls functions of these names by itself. A promise
 * that is resolved with an object whose `then` came from a guest would hand the guest its caller.
 */
export const calledByLanguage: ReadonlySet<string> = new Set(['then', 'toJSON', 'toString', 'toLocaleString', 'valueOf'])

/** Whether a pattern may cross: making a RegExp of a hostile one can take minutes, and nothing can interrupt it. */
export function isModestPattern(source: string): boolean {
  if (source.length > maxPatternLength) return false
  let properties = 0
  for (let at = source.indexOf('\\'); at !== -1; at = source.indexOf('\\', at + 2)) {
    const letter = source[at + 1]
    if ((letter === 'p' || letter === 'P') && ++properties > maxPatternProperties) return false
  }
  return true
}

const maxPatternLength = 32 * 1024
/** V8 takes 2 milliseconds for each `\p{RGI_Emoji}`. */
const maxPatternProperties = 32
