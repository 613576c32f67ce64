import { types } from 'node:util'
import { ConfineError } from '@confine-sandbox/contract'
import type { ByteWriter } from './byte-writer.ts'
import { minAttachmentBytes } from './frame.ts'
import type { ChannelLimits } from './limits.ts'
import type { MessageReferences, TransactionalWriter } from './reference.ts'
import { SeenObjects } from './seen-objects.ts'
import { cannotCross, pathText, type Step } from './value-path.ts'
import { className, errorFields, isLatin1, isPlain, isRefusedStream, isStream, opaqueKind, typedArrayName } from './value-kind.ts'
import { calledByLanguage, isModestPattern, tag, viewKinds } from './wire.ts'
import { bigintBytes, writeNumber, writeText } from './write-scalar.ts'
import { patternWork, type Shape, work, WorkCount } from './work.ts'

/** What the sender of a value decides. */
export interface EncodeOptions {
  /** Whether errors take their stacks along. The host's stacks name the host's files: they stay. */
  readonly errorStacks: boolean
}

/**
 * Writes values as `wire.ts` says: what structured clone knows, whatever realm it comes from. References hold within one
 * message: each begins with `reset`.
 */
export class ValueEncoder {
  readonly #writer: ByteWriter
  readonly #limits: ChannelLimits
  readonly #options: EncodeOptions
  readonly #seen = new SeenObjects()
  /** Where the encoder stands, one step a level; made into text only for an error. */
  readonly #trail: Step[] = []
  #depth = 0
  #values = 0
  /** What its receiver will count. */
  readonly #work: WorkCount
  #tables: MessageReferences | undefined
  #cid = 0
  #references: TransactionalWriter | undefined
  #attach: ((bytes: Uint8Array) => void) | undefined
  /** Within an object of some class or an error: their functions are their own affair. */
  #isWithinInstance = false

  constructor(writer: ByteWriter, limits: ChannelLimits, options: EncodeOptions) {
    this.#writer = writer
    this.#limits = limits
    this.#options = options
    this.#work = new WorkCount(limits.maxWork)
  }

  /**
   * Begins with a message.
   * @param tables number the functions and streams that cross for a container; without them they cannot cross.
   * @param attach takes long bytes, copied, to be sent apart. @default they are written among the rest
   */
  reset(tables: MessageReferences | undefined, cid: number, attach?: (bytes: Uint8Array) => void): void {
    this.#work.reset(this.#limits.maxWork)
    this.#seen.clear()
    this.#depth = 0
    this.#values = 0
    this.#tables = tables
    this.#cid = cid
    this.#references = undefined
    this.#attach = attach
    this.#isWithinInstance = false
  }

  /** The message is not sent: what it numbered is forgotten. */
  undo(): void {
    this.#references?.undo()
  }

  /**
   * Writes one value.
   * @param step How an error calls it.
   * @throws ERR_CONFINE_VALUE with the path of what cannot cross; ERR_CONFINE_LIMIT when it is too large.
   */
  root(value: unknown, step: Step): void {
    this.#trail[0] = step
    this.#depth = 0
    this.#value(value)
  }

  #value(value: unknown): void {
    this.#count()
    switch (typeof value) {
      case 'undefined':
        return this.#writer.byte(tag.undefined)
      case 'boolean':
        return this.#writer.byte(value ? tag.true : tag.false)
      case 'number':
        return writeNumber(this.#writer, value)
      case 'string':
        this.#spend(work.string)
        return this.#string(value)
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        return value === null ? this.#writer.byte(tag.null) : this.#object(value)
      case 'function':
        return this.#object(value)
      default:
        throw cannotCross(this.#path(this.#depth + 1), `a ${typeof value}`)
    }
  }

  #count(): void {
    if (++this.#values > this.#limits.maxValues) {
      throw this.#tooMuch(`more than ${this.#limits.maxValues} values in one message. Send them in parts, or numbers as a typed array`)
    }
    this.#spend(work.value)
  }

  #spend(units: number): void {
    if (this.#work.spend(units)) throw this.#tooMuch('up to here, reading this message is as much work as one may be. Send it in parts')
  }

  /** @param levels How many steps lead to what is meant. */
  #tooMuch(what: string, levels = this.#depth): ConfineError {
    return new ConfineError('ERR_CONFINE_LIMIT', `${this.#path(levels)}: ${what}`)
  }

  /** Writes a string. */
  string(value: string): void {
    this.#count()
    this.#string(value)
  }

  #string(value: string): void {
    const isNarrow = isLatin1(value)
    this.#spend(isNarrow ? value.length : value.length * 2)
    writeText(this.#writer, value, isNarrow)
  }

  #bigint(value: bigint): void {
    const bytes = bigintBytes(value)
    if (bytes.length > 6) this.#spend(work.bigint + bytes.length * work.bigintByte)
    this.#writer.byte(tag.bigint)
    this.#writer.byte(value < 0n ? 1 : 0)
    this.#writer.varint(bytes.length)
    this.#writer.bytes(bytes)
  }

  #object(value: object): void {
    const known = this.#seen.find(value)
    if (known !== -1) {
      this.#writer.byte(tag.reference)
      this.#writer.varint(known)
      return
    }
    if (this.#seen.size >= this.#limits.maxObjects) {
      throw this.#tooMuch(`more than ${this.#limits.maxObjects} objects in one message`, this.#depth + 1)
    }
    if (++this.#depth > this.#limits.maxDepth) throw this.#tooMuch(`nested deeper than ${this.#limits.maxDepth} levels`)
    this.#spend(work.object)
    this.#seen.add(value)
    if (Array.isArray(value)) this.#array(value)
    else this.#byKind(value)
    this.#depth--
  }

  #array(value: readonly unknown[]): void {
    const length = value.length
    this.#writer.byte(tag.array)
    this.#writer.varint(length)
    for (let i = 0; i < length; i++) {
      const item = value[i]
      if (item === undefined && !Object.hasOwn(value, i)) {
        this.#count()
        this.#writer.byte(tag.hole)
      } else this.#part(item, i)
    }
  }

  #byKind(value: object): void {
    if (typeof value === 'function') return this.#reference('callback', value)
    if (Object.getPrototypeOf(value) === Object.prototype) return isStream(value) ? this.#reference('stream', value) : this.#plain(value)
    if (ArrayBuffer.isView(value)) return this.#view(value)
    if (types.isAnyArrayBuffer(value)) return this.#arrayBuffer(value)
    if (types.isDate(value)) return this.#date(value)
    if (types.isRegExp(value)) return this.#regexp(value)
    if (types.isMap(value)) return this.#map(value)
    if (types.isSet(value)) return this.#set(value)
    if (types.isNativeError(value)) return this.#error(value)
    if (types.isBoxedPrimitive(value)) return this.#boxed(value)
    if (isRefusedStream(value)) throw this.#cannotCross(`a ${className(value)}`)
    if (!types.isProxy(value) && isStream(value)) return this.#reference('stream', value)
    const opaque = opaqueKind(value)
    if (opaque !== undefined) throw this.#cannotCross(opaque)
    if (isPlain(value)) return this.#plain(value)
    return this.#instance(value)
  }

  #date(value: Date): void {
    this.#spend(work.date)
    this.#writer.byte(tag.date)
    this.#writer.double(Date.prototype.getTime.call(value))
  }

  #regexp(value: RegExp): void {
    const source = String(value.source)
    if (!isModestPattern(source)) throw this.#cannotCross('a regular expression of this size')
    this.#writer.byte(tag.regexp)
    const flags = String(value.flags)
    this.string(source)
    this.string(flags)
    this.#spend(patternWork(source, flags))
  }

  #plain(value: object): void {
    const keys = Object.keys(value)
    this.#writer.byte(tag.object)
    this.#writer.varint(keys.length)
    let shape: Shape | undefined
    for (const key of keys) {
      this.string(key)
      shape = this.#work.key(shape, key)
      this.#field(key, (value as Record<string, unknown>)[key])
    }
  }

  #field(key: string, value: unknown): void {
    if (typeof value === 'function' && calledByLanguage.has(key)) {
      this.#trail[this.#depth] = key
      throw cannotCross(this.#path(this.#depth + 1), 'a function of this name')
    }
    this.#part(value, key)
  }

  #reference(what: 'callback' | 'stream', value: Function | AsyncIterable<unknown>): void {
    this.#references ??= this.#tables?.writer(this.#cid)
    const references = this.#references
    if (references === undefined || this.#isWithinInstance) throw this.#cannotCross(what === 'callback' ? 'a function' : 'a stream')
    this.#spend(work[what])
    const id = typeof value === 'function' ? references.callback(value) : references.stream(value)
    this.#writer.byte(tag[what])
    this.#writer.varint(id)
  }

  #within(write: () => void): void {
    const wasWithin = this.#isWithinInstance
    this.#isWithinInstance = true
    try {
      write()
    } finally {
      this.#isWithinInstance = wasWithin
    }
  }

  /** An object of some class crosses as its data; when part of it cannot, it is the object that the caller wants named. */
  #instance(value: object): void {
    const depth = this.#depth
    try {
      this.#within(() => this.#plain(value))
    } catch (error) {
      if (!ConfineError.is(error) || error.code !== 'ERR_CONFINE_VALUE') throw error
      this.#depth = depth
      throw this.#cannotCross(`a ${className(value)}`)
    }
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    const entries = [...Map.prototype.entries.call(value)]
    this.#writer.byte(tag.map)
    this.#writer.varint(entries.length)
    this.#spend(entries.length * work.entry)
    for (const [index, [key, item]] of entries.entries()) {
      this.#part(key, { text: `.keys[${index}]` })
      this.#part(item, { text: `.values[${index}]` })
    }
  }

  #set(value: ReadonlySet<unknown>): void {
    const items = [...Set.prototype.values.call(value)]
    this.#writer.byte(tag.set)
    this.#writer.varint(items.length)
    this.#spend(items.length * work.entry)
    for (const [index, item] of items.entries()) this.#part(item, { text: `.values[${index}]` })
  }

  #error(value: Error): void {
    this.#writer.byte(tag.error)
    this.#spend(work.error)
    this.string(String(value.name))
    this.string(String(value.message))
    this.string(this.#options.errorStacks && typeof value.stack === 'string' ? value.stack : '')
    const fields = errorFields(value)
    const keys = Object.keys(fields)
    this.#writer.varint(keys.length)
    this.#within(() => {
      let shape: Shape | undefined
      for (const key of keys) {
        this.string(key)
        shape = this.#work.key(shape, key)
        this.#field(key, fields[key])
      }
    })
  }

  #arrayBuffer(value: ArrayBufferLike): void {
    if (types.isSharedArrayBuffer(value)) throw this.#cannotCross('a SharedArrayBuffer')
    this.#bytes(new Uint8Array(value), tag.arrayBuffer, tag.attachedArrayBuffer)
  }

  /** Only the bytes that the view shows cross: the rest of its buffer may be somebody else's. */
  #view(value: ArrayBufferView): void {
    if (types.isSharedArrayBuffer(value.buffer)) throw this.#cannotCross('a view of a SharedArrayBuffer')
    const name = types.isDataView(value) ? 'DataView' : typedArrayName.call(value)
    const kind = viewKinds.indexOf(name as (typeof viewKinds)[number])
    if (kind === -1) throw this.#cannotCross(`a ${name}`)
    this.#bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), tag.view, tag.attachedView, kind)
  }

  #bytes(bytes: Uint8Array, ownTag: number, attachedTag: number, kind?: number): void {
    this.#spend(work.buffer + bytes.length)
    const attach = bytes.length < minAttachmentBytes ? undefined : this.#attach
    this.#writer.byte(attach === undefined ? ownTag : attachedTag)
    if (kind !== undefined) this.#writer.byte(kind)
    if (attach !== undefined) return attach(bytes)
    this.#writer.varint(bytes.length)
    this.#writer.bytes(bytes)
  }

  #boxed(value: object): void {
    const primitive: unknown = (value as { valueOf(): unknown }).valueOf()
    if (typeof primitive === 'object' || typeof primitive === 'symbol') throw this.#cannotCross(`a ${typeof primitive} object`)
    this.#writer.byte(tag.boxed)
    this.#value(primitive)
  }

  #part(value: unknown, step: Step): void {
    this.#trail[this.#depth] = step
    this.#value(value)
  }

  #path(levels: number): string {
    return pathText(this.#trail, levels)
  }

  /** For the object that is being written. */
  #cannotCross(what: string): ConfineError {
    return cannotCross(this.#path(this.#depth), what)
  }
}
