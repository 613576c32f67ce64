import { ByteReader, malformed } from './byte-reader.ts'
import { ByteWriter, tooLong } from './byte-writer.ts'
import { ValueDecoder } from './decode.ts'
import { type EncodeOptions, ValueEncoder } from './encode.ts'
import type { ErrorPayload } from './error-payload.ts'
import type { ChannelLimits } from './limits.ts'
import { SpareMemory } from './spare-memory.ts'
import type { Step } from './value-path.ts'
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

/** A message as it leaves: until the next one is encoded. */
export interface EncodedMessage {
  readonly writer: ByteWriter
  /** What goes before it. In memory that nobody else has. */
  readonly attachments: readonly Buffer[]
  /** Of all of it. */
  readonly size: number
}

/** Turns messages into bytes and back. */
export class MessageCodec {
  /** Where attachments are copied to; what has left may be given back. */
  readonly spare = new SpareMemory()
  readonly #limits: ChannelLimits
  readonly #options: EncodeOptions
  readonly #out: Encoding
  readonly #reader = new ByteReader()
  readonly #decoder: ValueDecoder
  #isEncoding = false

  constructor(limits: ChannelLimits, options: EncodeOptions) {
    this.#limits = limits
    this.#options = options
    this.#out = new Encoding(limits, options, this.spare)
    this.#decoder = new ValueDecoder(this.#reader, limits)
  }

  /**
   * @param cid The container to which the message belongs: what it refers to is numbered there.
   * @throws ERR_CONFINE_VALUE or ERR_CONFINE_LIMIT when a value cannot cross. Nothing is sent then.
   */
  encode(message: Message, cid = 0, references?: MessageReferences): Buffer {
    return this.write(message, cid, references, false).writer.take()
  }

  /**
   * The same, in memory that is used again for the next message.
   * @param attaches Whether long bytes go before the message, as attachments.
   */
  write(message: Message, cid: number, references: MessageReferences | undefined, attaches: boolean): EncodedMessage {
    // A getter among the values may send a message of its own.
    const isNested = this.#isEncoding
    const out = isNested ? new Encoding(this.#limits, this.#options, this.spare) : this.#out
    this.#isEncoding = true
    try {
      out.write(message, cid, references, attaches)
      return out
    } finally {
      this.#isEncoding = isNested
    }
  }

  /** @throws ERR_CONFINE_PROTOCOL for bytes that are no message. */
  decode(bytes: Uint8Array, references?: MessageReferences): Message {
    const memory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.read(memory, 0, memory.length, references)
  }

  /** The same, from some bytes of a larger memory, with attachments that came before. What it returns refers to none of that memory. */
  read(
    memory: Buffer,
    start: number,
    end: number,
    references?: MessageReferences,
    attachments: readonly Uint8Array<ArrayBuffer>[] = none,
  ): Message {
    this.#reader.reset(memory, start, end)
    this.#decoder.reset(references, attachments)
    let size = end - start
    for (const { length } of attachments) size += length
    const message = readMessage(this.#reader, this.#decoder, size, references)
    this.#reader.end()
    this.#decoder.end()
    return message
  }
}

const none: readonly Uint8Array<ArrayBuffer>[] = Object.freeze([])

/** What one message is written with. */
class Encoding implements EncodedMessage {
  readonly writer: ByteWriter
  attachments: Buffer[] = []
  size = 0
  readonly #spare: SpareMemory
  readonly #encoder: ValueEncoder
  readonly #maxBytes: number

  constructor(limits: ChannelLimits, options: EncodeOptions, spare: SpareMemory) {
    this.#spare = spare
    this.writer = new ByteWriter(limits.maxMessageBytes)
    this.#encoder = new ValueEncoder(this.writer, limits, options)
    this.#maxBytes = limits.maxMessageBytes
  }

  write(message: Message, cid: number, references: MessageReferences | undefined, attaches: boolean): void {
    const encoder = this.#encoder
    this.writer.reset()
    this.size = 0
    if (this.attachments.length > 0) this.attachments = []
    encoder.reset(references, cid, attaches ? this.#attach : undefined)
    try {
      writeMessage(message, this.writer, encoder)
      this.size += this.writer.length
      if (this.size > this.#maxBytes) throw tooLong(this.#maxBytes)
    } catch (error) {
      this.attachments = []
      encoder.undo()
      throw error
    } finally {
      // Nothing is kept alive for the next message.
      encoder.reset(undefined, 0)
    }
  }

  /** Copied, as all the rest: who sends may change his bytes on the next line. */
  readonly #attach = (bytes: Uint8Array): void => {
    this.size += bytes.length
    if (this.size > this.#maxBytes) throw tooLong(this.#maxBytes)
    const copy = this.#spare.take(bytes.length)
    copy.set(bytes)
    this.attachments.push(copy)
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

const paramsStep: Step = Object.freeze({ text: 'params' })
const resultStep: Step = Object.freeze({ text: 'result' })
const errorStep: Step = Object.freeze({ text: 'error' })
const itemStep: Step = Object.freeze({ text: 'item' })

function writeMessage(message: Message, writer: ByteWriter, encoder: ValueEncoder): void {
  writer.byte(typeBytes[message.type])
  switch (message.type) {
    case 'request':
      writer.varint(message.id)
      writer.varint(message.cid)
      writer.varint(message.parent ?? 0)
      encoder.string(message.method)
      encoder.root(message.params, paramsStep)
      break
    case 'invoke':
      writer.varint(message.id)
      writer.varint(message.reference)
      writer.varint(message.parent ?? 0)
      encoder.root(message.params, paramsStep)
      break
    case 'result':
      writer.varint(message.id)
      encoder.root(message.value, resultStep)
      break
    case 'failure':
      writer.varint(message.id)
      encoder.root(message.error, errorStep)
      break
    case 'notify':
      writer.varint(message.cid)
      encoder.string(message.method)
      encoder.root(message.params, paramsStep)
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
      encoder.root(message.value, itemStep)
      break
    case 'end':
      writer.varint(message.stream)
      encoder.root(message.error, errorStep)
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
      decoder.belongsTo('container', cid)
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
      decoder.belongsTo('container', references?.cidOfOwn(reference) ?? 0)
      return { type: 'invoke', id, reference, parent, params: list(decoder.value()), heldBytes: size + decoder.overheadBytes }
    }
    case typeBytes.result: {
      const id = reader.varint()
      decoder.belongsTo('answer', id)
      const value = decoder.value()
      return { type: 'result', id, value, references: decoder.references }
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
      decoder.belongsTo('item', stream)
      const value = decoder.value()
      return { type: 'item', stream, value, size, references: decoder.references }
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
