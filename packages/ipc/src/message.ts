import { ByteReader, malformed } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { ValueDecoder } from './decode.ts'
import { type EncodeOptions, ValueEncoder } from './encode.ts'
import type { ErrorPayload } from './error-payload.ts'
import type { ChannelLimits } from './limits.ts'

/** What two peers say to each other. `cid` names a container; 0 is the guest process itself. */
export type Message =
  /** Call `method`; answer with the same `id`. */
  | {
      readonly type: 'request'
      readonly id: number
      readonly cid: number
      readonly method: string
      readonly params: unknown[]
      /** Memory that the parameters hold, as their receiver estimates it. */
      readonly heldBytes?: number
    }
  /** The call came back. */
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  /** The call failed. */
  | { readonly type: 'failure'; readonly id: number; readonly error: ErrorPayload }
  /** Tell `method`; no answer. */
  | { readonly type: 'notify'; readonly cid: number; readonly method: string; readonly params: unknown[] }
  /** Nobody waits for the answer of `id` any more; it still comes. */
  | { readonly type: 'cancel'; readonly id: number }

/** Turns messages into bytes and back. */
export class MessageCodec {
  readonly #limits: ChannelLimits
  readonly #options: EncodeOptions
  readonly #writer: ByteWriter
  #isEncoding = false

  constructor(limits: ChannelLimits, options: EncodeOptions) {
    this.#limits = limits
    this.#options = options
    this.#writer = new ByteWriter(limits.maxMessageBytes)
  }

  /** @throws ERR_CONFINE_VALUE or ERR_CONFINE_LIMIT when a value cannot cross. Nothing is sent then. */
  encode(message: Message): Buffer {
    // A getter among the values may send a message of its own.
    if (this.#isEncoding) return this.#encode(message, new ByteWriter(this.#limits.maxMessageBytes))
    this.#isEncoding = true
    try {
      return this.#encode(message, this.#writer)
    } finally {
      this.#isEncoding = false
    }
  }

  #encode(message: Message, writer: ByteWriter): Buffer {
    const encoder = new ValueEncoder(writer, this.#limits, this.#options)
    writer.reset()
    writer.byte(typeBytes[message.type])
    switch (message.type) {
      case 'request':
        writer.varint(message.id)
        writer.varint(message.cid)
        encoder.string(message.method)
        encoder.root(message.params, 'params')
        break
      case 'result':
        writer.varint(message.id)
        encoder.root(message.value, 'result')
        break
      case 'failure':
        writer.varint(message.id)
        encoder.root(message.error, 'error')
        break
      case 'notify':
        writer.varint(message.cid)
        encoder.string(message.method)
        encoder.root(message.params, 'params')
        break
      case 'cancel':
        writer.varint(message.id)
        break
    }
    return writer.take()
  }

  /** @throws ERR_CONFINE_PROTOCOL for bytes that are no message. */
  decode(bytes: Uint8Array): Message {
    const reader = new ByteReader(bytes)
    const decoder = new ValueDecoder(reader, this.#limits)
    const message = readMessage(reader, decoder, bytes.length)
    reader.end()
    return message
  }
}

const typeBytes = Object.freeze({ request: 1, result: 2, failure: 3, notify: 4, cancel: 5 })

function readMessage(reader: ByteReader, decoder: ValueDecoder, size: number): Message {
  const type = reader.byte()
  switch (type) {
    case typeBytes.request:
      return {
        type: 'request',
        id: reader.varint(),
        cid: reader.varint(),
        method: decoder.string(),
        params: list(decoder.value()),
        heldBytes: size + decoder.overheadBytes,
      }
    case typeBytes.result:
      return { type: 'result', id: reader.varint(), value: decoder.value() }
    case typeBytes.failure:
      return { type: 'failure', id: reader.varint(), error: payload(decoder.value()) }
    case typeBytes.notify:
      return { type: 'notify', cid: reader.varint(), method: decoder.string(), params: list(decoder.value()) }
    case typeBytes.cancel:
      return { type: 'cancel', id: reader.varint() }
    default:
      throw malformed(`unknown type ${type}`)
  }
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw malformed('the parameters are no list')
  return value
}

function payload(value: unknown): ErrorPayload {
  if (typeof value !== 'object' || value === null) throw malformed('an error that is none')
  const { code, isOurs, name, message, stack, details, cause } = value as Record<string, unknown>
  if (typeof name !== 'string' || typeof message !== 'string') throw malformed('an error without name or message')
  if (code !== undefined && typeof code !== 'string') throw malformed('an error code that is no string')
  if (stack !== undefined && typeof stack !== 'string') throw malformed('a stack that is no string')
  return { code, isOurs: isOurs === true, name, message, stack, details, cause }
}
