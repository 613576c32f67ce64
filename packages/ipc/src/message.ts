import { ByteReader, malformed } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { ValueDecoder } from './decode.ts'
import { type EncodeOptions, ValueEncoder } from './encode.ts'
import type { ErrorPayload } from './error-payload.ts'
import type { ChannelLimits } from './limits.ts'
import type { CollectingReader, MessageReferences } from './reference.ts'

/** What two peers say to each other. `cid` names a container; 0 is the guest process itself. */
export type Message =
  /** Call `method`; answer with the same `id`. */
  | {
      readonly type: 'request'
      readonly id: number
      readonly cid: number
      /** The request of the receiver within which this is asked; 0 for none. */
      readonly parent?: number
      readonly method: string
      readonly params: unknown[]
      /** Memory that the parameters hold, as their receiver estimates it. */
      readonly heldBytes?: number
    }
  /** Call the function that `reference` numbers among those of the receiver; answer with the same `id`. */
  | {
      readonly type: 'invoke'
      readonly id: number
      readonly reference: number
      /** The request of the receiver within which this is asked; 0 for none. */
      readonly parent?: number
      readonly params: unknown[]
      readonly heldBytes?: number
    }
  /** The call came back. */
  | { readonly type: 'result'; readonly id: number; readonly value: unknown; readonly references?: CollectingReader | undefined }
  /** The call failed. */
  | { readonly type: 'failure'; readonly id: number; readonly error: ErrorPayload }
  /** Tell `method`; no answer. */
  | { readonly type: 'notify'; readonly cid: number; readonly method: string; readonly params: unknown[]; readonly heldBytes?: number }
  /** Nobody waits for the answer of `id` any more; it still comes. */
  | { readonly type: 'cancel'; readonly id: number }
  /** The sender will not call this function of the receiver any more. */
  | { readonly type: 'release'; readonly reference: number }
  /** Produce that much more of a stream of the receiver. */
  | { readonly type: 'pull'; readonly stream: number; readonly items: number; readonly bytes: number }
  /** One item of a stream of the sender. `size` is that of the whole message. */
  | {
      readonly type: 'item'
      readonly stream: number
      readonly value: unknown
      readonly size?: number
      readonly references?: CollectingReader | undefined
    }
  /** A stream of the sender is through, or failed. */
  | { readonly type: 'end'; readonly stream: number; readonly error?: ErrorPayload | undefined }
  /** Nobody takes any more of a stream of the receiver; it still ends. */
  | { readonly type: 'stop'; readonly stream: number }

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

  /**
   * @param cid The container to which the message belongs: what it refers to is numbered there.
   * @throws ERR_CONFINE_VALUE or ERR_CONFINE_LIMIT when a value cannot cross. Nothing is sent then.
   */
  encode(message: Message, cid = 0, references?: MessageReferences): Buffer {
    // A getter among the values may send a message of its own.
    const isNested = this.#isEncoding
    const writer = isNested ? new ByteWriter(this.#limits.maxMessageBytes) : this.#writer
    const numbers = references?.writer(cid)
    this.#isEncoding = true
    try {
      writer.reset()
      writeMessage(message, writer, new ValueEncoder(writer, this.#limits, this.#options, numbers))
      return writer.take()
    } catch (error) {
      numbers?.undo()
      throw error
    } finally {
      this.#isEncoding = isNested
    }
  }

  /** @throws ERR_CONFINE_PROTOCOL for bytes that are no message. */
  decode(bytes: Uint8Array, references?: MessageReferences): Message {
    const reader = new ByteReader(bytes)
    const decoder = new ValueDecoder(reader, this.#limits)
    const message = readMessage(reader, decoder, bytes.length, references)
    reader.end()
    return message
  }
}

const typeBytes = Object.freeze({
  request: 1,
  result: 2,
  failure: 3,
  notify: 4,
  cancel: 5,
  invoke: 6,
  release: 7,
  pull: 8,
  item: 9,
  end: 10,
  stop: 11,
})

function writeMessage(message: Message, writer: ByteWriter, encoder: ValueEncoder): void {
  writer.byte(typeBytes[message.type])
  switch (message.type) {
    case 'request':
      writer.varint(message.id)
      writer.varint(message.cid)
      writer.varint(message.parent ?? 0)
      encoder.string(message.method)
      encoder.root(message.params, 'params')
      break
    case 'invoke':
      writer.varint(message.id)
      writer.varint(message.reference)
      writer.varint(message.parent ?? 0)
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
    case 'release':
      writer.varint(message.reference)
      break
    case 'pull':
      writer.varint(message.stream)
      writer.varint(message.items)
      writer.varint(message.bytes)
      break
    case 'item':
      writer.varint(message.stream)
      encoder.root(message.value, 'item')
      break
    case 'end':
      writer.varint(message.stream)
      encoder.root(message.error, 'error')
      break
    case 'stop':
      writer.varint(message.stream)
      break
  }
}

function readMessage(reader: ByteReader, decoder: ValueDecoder, size: number, references: MessageReferences | undefined): Message {
  const type = reader.byte()
  switch (type) {
    case typeBytes.request: {
      const id = reader.varint()
      const cid = reader.varint()
      const parent = reader.varint()
      decoder.references = references?.reader(cid)
      return {
        type: 'request',
        id,
        cid,
        parent,
        method: decoder.string(),
        params: list(decoder.value()),
        heldBytes: size + decoder.overheadBytes,
      }
    }
    case typeBytes.invoke: {
      const id = reader.varint()
      const reference = reader.varint()
      const parent = reader.varint()
      decoder.references = references?.reader(references.cidOfOwn(reference))
      return { type: 'invoke', id, reference, parent, params: list(decoder.value()), heldBytes: size + decoder.overheadBytes }
    }
    case typeBytes.result: {
      const id = reader.varint()
      const made = references?.answerReader(id)
      decoder.references = made
      return { type: 'result', id, value: decoder.value(), references: made }
    }
    case typeBytes.failure:
      return { type: 'failure', id: reader.varint(), error: payload(decoder.value()) }
    case typeBytes.notify:
      return {
        type: 'notify',
        cid: reader.varint(),
        method: decoder.string(),
        params: list(decoder.value()),
        heldBytes: size + decoder.overheadBytes,
      }
    case typeBytes.cancel:
      return { type: 'cancel', id: reader.varint() }
    case typeBytes.release:
      return { type: 'release', reference: reader.varint() }
    case typeBytes.pull:
      return { type: 'pull', stream: reader.varint(), items: reader.varint(), bytes: reader.varint() }
    case typeBytes.item: {
      const stream = reader.varint()
      const made = references?.itemReader(stream)
      decoder.references = made
      return { type: 'item', stream, value: decoder.value(), size, references: made }
    }
    case typeBytes.end:
      return { type: 'end', stream: reader.varint(), error: optionalPayload(decoder.value()) }
    case typeBytes.stop:
      return { type: 'stop', stream: reader.varint() }
    default:
      throw malformed(`unknown type ${type}`)
  }
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw malformed('the parameters are no list')
  return value
}

function optionalPayload(value: unknown): ErrorPayload | undefined {
  return value === undefined ? undefined : payload(value)
}

function payload(value: unknown): ErrorPayload {
  if (typeof value !== 'object' || value === null) throw malformed('an error that is none')
  const { code, isOurs, name, message, stack, details, cause } = value as Record<string, unknown>
  if (typeof name !== 'string' || typeof message !== 'string') throw malformed('an error without name or message')
  if (code !== undefined && typeof code !== 'string') throw malformed('an error code that is no string')
  if (stack !== undefined && typeof stack !== 'string') throw malformed('a stack that is no string')
  return { code, isOurs: isOurs === true, name, message, stack, details, cause }
}
