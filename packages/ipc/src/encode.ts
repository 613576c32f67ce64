import { types } from 'node:util'
import { ConfineError } from '@confine-sandbox/contract'
import type { ByteWriter } from './byte-writer.ts'
import type { ChannelLimits } from './limits.ts'
import type { ReferenceWriter } from './reference.ts'
import { cannotCross, pathText, type Step } from './value-path.ts'
import { className, isLatin1, isPlain, isRefusedStream, isStream, opaqueKind, typedArrayName } from './value-kind.ts'
import { calledByLanguage, isModestPattern, tag, viewKinds } from './wire.ts'
import { patternWork, type Shape, work, WorkCount } from './work.ts'

/** What the sender of a value decides. */
export interface EncodeOptions {
  /** Whether errors take their stacks along. The host's stacks name the host's files: they stay. */
  readonly errorStacks: boolean
}

/**
 * Writes values as `wire.ts` says: what structured clone knows, whatever realm it comes from. One object of this class
 * encodes one message, so that references within it hold.
 */
export class ValueEncoder {
  readonly #writer: ByteWriter
  readonly #limits: ChannelLimits
  readonly #options: EncodeOptions
  readonly #seen = new Map<object, number>()
  /** Where the encoder stands, one step a level; made into text only for an error. */
  readonly #trail: Step[] = []
  #depth = 0
  #values = 0
  /** What its receiver will count. */
  readonly #work: WorkCount
  readonly #references: ReferenceWriter | undefined
  /** Within an object of some class or an error: their functions are their own affair. */
  #isWithinInstance = false

  /** @param references Numbers functions and streams; without it they cannot cross. */
  constructor(writer: ByteWriter, limits: ChannelLimits, options: EncodeOptions, references?: ReferenceWriter) {
    this.#writer = writer
    this.#limits = limits
    this.#options = options
    this.#work = new WorkCount(limits.maxWork)
    this.#references = references
  }

  /**
   * Writes one value.
   * @param name How an error calls it: `params`.
   * @throws ERR_CONFINE_VALUE with the path of what cannot cross; ERR_CONFINE_LIMIT when it is too large.
   */
  root(value: unknown, name: string): void {
    this.#trail[0] = { text: name }
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
        return this.#number(value)
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
    if (isNarrow) {
      this.#writer.byte(tag.latin1)
      this.#writer.varint(value.length)
      this.#writer.latin1(value)
    } else {
      this.#writer.byte(tag.utf16)
      this.#writer.varint(value.length * 2)
      this.#writer.utf16(value)
    }
  }

  #number(value: number): void {
    const absolute = Math.abs(value)
    if (Number.isInteger(value) && absolute <= 0xffffffff && !Object.is(value, -0)) {
      this.#writer.byte(value < 0 ? tag.negative : tag.positive)
      this.#writer.varint(absolute)
    } else {
      this.#writer.byte(tag.double)
      this.#writer.double(value)
    }
  }

  #bigint(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16)
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').reverse()
    if (bytes.length > 6) this.#spend(work.bigint + bytes.length * work.bigintByte)
    this.#writer.byte(tag.bigint)
    this.#writer.byte(value < 0n ? 1 : 0)
    this.#writer.varint(bytes.length)
    this.#writer.bytes(bytes)
  }

  #object(value: object): void {
    const known = this.#seen.get(value)
    if (known !== undefined) {
      this.#writer.byte(tag.reference)
      this.#writer.varint(known)
      return
    }
    if (this.#seen.size >= this.#limits.maxObjects) {
      throw this.#tooMuch(`more than ${this.#limits.maxObjects} objects in one message`, this.#depth + 1)
    }
    if (++this.#depth > this.#limits.maxDepth) throw this.#tooMuch(`nested deeper than ${this.#limits.maxDepth} levels`)
    this.#spend(work.object)
    this.#seen.set(value, this.#seen.size)
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
    if (typeof value === 'function') return this.#callback(value)
    if (Object.getPrototypeOf(value) === Object.prototype) return isStream(value) ? this.#stream(value) : this.#plain(value)
    if (ArrayBuffer.isView(value)) return this.#view(value)
    if (types.isAnyArrayBuffer(value)) return this.#arrayBuffer(value)
    if (types.isDate(value)) {
      this.#spend(work.date)
      this.#writer.byte(tag.date)
      return this.#writer.double(Date.prototype.getTime.call(value))
    }
    if (types.isRegExp(value)) {
      const source = String(value.source)
      if (!isModestPattern(source)) throw this.#cannotCross('a regular expression of this size')
      this.#writer.byte(tag.regexp)
      const flags = String(value.flags)
      this.string(source)
      this.string(flags)
      return this.#spend(patternWork(source, flags))
    }
    if (types.isMap(value)) return this.#map(value)
    if (types.isSet(value)) return this.#set(value)
    if (types.isNativeError(value)) return this.#error(value)
    if (types.isBoxedPrimitive(value)) return this.#boxed(value)
    if (isRefusedStream(value)) throw this.#cannotCross(`a ${className(value)}`)
    if (!types.isProxy(value) && isStream(value)) return this.#stream(value)
    const opaque = opaqueKind(value)
    if (opaque !== undefined) throw this.#cannotCross(opaque)
    if (isPlain(value)) return this.#plain(value)
    return this.#instance(value)
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

  #callback(value: Function): void {
    if (this.#references === undefined || this.#isWithinInstance) throw this.#cannotCross('a function')
    this.#spend(work.callback)
    const id = this.#references.callback(value)
    this.#writer.byte(tag.callback)
    this.#writer.varint(id)
  }

  #stream(value: AsyncIterable<unknown>): void {
    if (this.#references === undefined || this.#isWithinInstance) throw this.#cannotCross('a stream')
    this.#spend(work.stream)
    const id = this.#references.stream(value)
    this.#writer.byte(tag.stream)
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
    const fields: Record<string, unknown> = { __proto__: null }
    if (Object.hasOwn(value, 'cause')) fields.cause = value.cause
    if (Object.hasOwn(value, 'errors')) fields.errors = (value as AggregateError).errors
    for (const key of Object.keys(value)) {
      if (!errorOwnFields.has(key)) fields[key] = (value as unknown as Record<string, unknown>)[key]
    }
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
    this.#spend(work.buffer + value.byteLength)
    this.#writer.byte(tag.arrayBuffer)
    this.#writer.varint(value.byteLength)
    this.#writer.bytes(new Uint8Array(value))
  }

  /** Only the bytes that the view shows cross: the rest of its buffer may be somebody else's. */
  #view(value: ArrayBufferView): void {
    if (types.isSharedArrayBuffer(value.buffer)) throw this.#cannotCross('a view of a SharedArrayBuffer')
    const name = types.isDataView(value) ? 'DataView' : typedArrayName.call(value)
    const kind = viewKinds.indexOf(name as (typeof viewKinds)[number])
    if (kind === -1) throw this.#cannotCross(`a ${name}`)
    this.#spend(work.buffer + value.byteLength)
    this.#writer.byte(tag.view)
    this.#writer.byte(kind)
    this.#writer.varint(value.byteLength)
    this.#writer.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
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

const errorOwnFields = new Set(['name', 'message', 'stack', 'cause', 'errors'])
