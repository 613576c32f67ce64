import { type ByteReader, malformed } from './byte-reader.ts'
import { CpuBudget } from './cpu-budget.ts'
import type { ChannelLimits } from './limits.ts'
import type { CollectingReader, MessageReferences } from './reference.ts'
import { hide, newError, setField, viewOf } from './make-value.ts'
import { isModestPattern, tag, viewKinds } from './wire.ts'
import { patternWork, type Shape, work, WorkCount } from './work.ts'

/**
 * Reads values that a `ValueEncoder` wrote, or that an enemy wrote: everything is checked before it is made. No prototype
 * is ever set by data, and nothing of what arrives runs. Each message begins with `reset`.
 */
export class ValueDecoder {
  readonly #reader: ByteReader
  readonly #limits: ChannelLimits
  #objects: object[] = []
  /** For those who are honest. */
  readonly #work: WorkCount
  /** For those who know how to make little work take long. */
  readonly #budget: CpuBudget
  #tables: MessageReferences | undefined
  #belongsTo: 'container' | 'answer' | 'item' = 'container'
  #id = 0
  #references: CollectingReader | undefined
  #attachments: readonly Uint8Array<ArrayBuffer>[] = none
  #attachmentsRead = 0
  #depth = 0
  #values = 0

  constructor(reader: ByteReader, limits: ChannelLimits) {
    this.#reader = reader
    this.#limits = limits
    this.#work = new WorkCount(limits.maxWork)
    this.#budget = new CpuBudget(limits.maxDecodeMs)
  }

  /**
   * Begins with a message.
   * @param tables make functions and streams of the other side, once it is known for whom; without them there may be none.
   * @param attachments What came before the message, to be part of it.
   */
  reset(tables: MessageReferences | undefined, attachments: readonly Uint8Array<ArrayBuffer>[] = none): void {
    this.#objects = []
    this.#work.reset(this.#limits.maxWork)
    this.#budget.reset()
    this.#tables = tables
    this.#belongsTo = 'container'
    this.#id = 0
    this.#references = undefined
    this.#attachments = attachments
    this.#attachmentsRead = 0
    this.#depth = 0
    this.#values = 0
  }

  /** To what the functions and streams belong that are read: they are made when there are some. */
  belongsTo(kind: 'container' | 'answer' | 'item', id: number): void {
    this.#belongsTo = kind
    this.#id = id
  }

  /** What made the functions and streams that were read; nothing when there were none. */
  get references(): CollectingReader | undefined {
    return this.#references
  }

  /** @throws ERR_CONFINE_PROTOCOL unless every attachment was read. */
  end(): void {
    if (this.#attachmentsRead < this.#attachments.length) throw malformed('it has attachments that it does not name')
    // Nothing is kept alive for the next message.
    this.#objects = []
    this.#attachments = none
  }

  /** Memory that what was read holds beside its bytes, estimated: what V8 needs for each value, and for an object. */
  get overheadBytes(): number {
    return this.#values * 32 + this.#objects.length * 160
  }

  /**
   * Reads one value.
   * @throws ERR_CONFINE_PROTOCOL for bytes that are no value, or one beyond the limits.
   */
  value(): unknown {
    return this.#tagged(this.#reader.byte())
  }

  /** Reads a value that must be a string. */
  string(): string {
    this.#count()
    return this.#string(this.#reader.byte())
  }

  #tagged(what: number): unknown {
    this.#count()
    switch (what) {
      case tag.undefined:
        return undefined
      case tag.null:
        return null
      case tag.true:
        return true
      case tag.false:
        return false
      case tag.positive:
        return this.#reader.varint()
      case tag.negative:
        return -this.#reader.varint()
      case tag.double:
        return this.#reader.double()
      case tag.bigint:
        return this.#bigint()
      case tag.latin1:
      case tag.utf16:
        this.#spend(work.string)
        return this.#string(what)
      case tag.reference:
        return this.#reference()
      default:
        return this.#nested(what)
    }
  }

  #nested(what: number): object {
    if (++this.#depth > this.#limits.maxDepth) throw malformed(`nested deeper than ${this.#limits.maxDepth} levels`)
    if (this.#objects.length >= this.#limits.maxObjects) throw malformed(`more than ${this.#limits.maxObjects} objects`)
    this.#spend(work.object)
    const object = this.#object(what)
    this.#depth--
    return object
  }

  #object(what: number): object {
    switch (what) {
      case tag.array:
        return this.#array()
      case tag.object:
        return this.#fields(this.#keep({}))
      case tag.map:
        return this.#map()
      case tag.set:
        return this.#set()
      case tag.date:
        this.#spend(work.date)
        return this.#keep(new Date(this.#reader.double()))
      case tag.regexp:
        return this.#regexp()
      case tag.error:
        return this.#error()
      case tag.arrayBuffer:
        return this.#keep(this.#buffer().buffer)
      case tag.view:
        return this.#view()
      case tag.boxed:
        return this.#boxed()
      case tag.callback:
        this.#spend(work.callback)
        return this.#keep(this.#requireReferences().callback(this.#reader.varint()))
      case tag.stream:
        this.#spend(work.stream)
        return this.#keep(this.#requireReferences().stream(this.#reader.varint()))
      case tag.attachedArrayBuffer:
        return this.#keep(this.#attachment().buffer)
      case tag.attachedView:
        return this.#keep(viewOf(this.#kindOfView(), this.#attachment()))
      default:
        throw malformed(`unknown tag ${what}`)
    }
  }

  /** Counts an object and makes it known to later references. Before its parts are read, so that cycles close. */
  #keep<T extends object>(object: T): T {
    this.#objects.push(object)
    return object
  }

  #reference(): object {
    const object = this.#objects[this.#reader.varint()]
    if (object === undefined) throw malformed('a reference to no object')
    return object
  }

  #requireReferences(): CollectingReader {
    this.#references ??= this.#makeReader()
    if (this.#references === undefined) throw malformed('a function or a stream where none may be')
    return this.#references
  }

  #makeReader(): CollectingReader | undefined {
    if (this.#belongsTo === 'answer') return this.#tables?.answerReader(this.#id)
    return this.#belongsTo === 'item' ? this.#tables?.itemReader(this.#id) : this.#tables?.reader(this.#id)
  }

  #attachment(): Uint8Array<ArrayBuffer> {
    const bytes = this.#attachments[this.#attachmentsRead++]
    if (bytes === undefined) throw malformed('an attachment that did not come')
    this.#spend(work.buffer + bytes.length)
    return bytes
  }

  #count(): void {
    if (++this.#values > this.#limits.maxValues) throw malformed(`more than ${this.#limits.maxValues} values`)
    this.#spend(work.value)
    if (this.#budget.spend(1)) throw this.#tooSlow()
  }

  #spend(units: number): void {
    if (this.#work.spend(units)) throw malformed('reading it is more work than is allowed')
  }

  #tooSlow(): Error {
    return malformed(`reading it takes more than ${this.#limits.maxDecodeMs} ms`)
  }

  #string(what: number): string {
    if (what !== tag.latin1 && what !== tag.utf16) throw malformed('a string was expected')
    const bytes = this.#reader.count(1)
    this.#spend(bytes)
    return what === tag.latin1 ? this.#reader.latin1(bytes) : this.#reader.utf16(bytes)
  }

  #bigint(): bigint {
    const sign = this.#reader.byte()
    if (sign > 1) throw malformed('a sign was expected')
    const count = this.#reader.count(1)
    if (count === 0 || count > maxBigintBytes) throw malformed('a bigint of a wrong length')
    if (count <= 6) {
      const small = BigInt(this.#reader.unsigned(count))
      return sign === 1 ? -small : small
    }
    this.#spend(work.bigint + count * work.bigintByte)
    const absolute = BigInt(`0x${Buffer.from(this.#reader.bytes(count)).reverse().toString('hex')}`)
    return sign === 1 ? -absolute : absolute
  }

  #array(): unknown[] {
    const count = this.#reader.count(1)
    const array: unknown[] = this.#keep([])
    for (let i = 0; i < count; i++) {
      const what = this.#reader.byte()
      if (what === tag.hole) {
        this.#count()
        array.length = i + 1
      } else array[i] = this.#tagged(what)
    }
    return array
  }

  #fields<T extends object>(target: T): T {
    const count = this.#reader.count(2)
    let shape: Shape | undefined
    for (let i = 0; i < count; i++) {
      const key = this.string()
      shape = this.#work.key(shape, key)
      setField(target, key, this.value())
    }
    return target
  }

  #map(): Map<unknown, unknown> {
    const count = this.#reader.count(2)
    const map = this.#keep(new Map<unknown, unknown>())
    this.#spend(count * work.entry)
    for (let i = 0; i < count; i++) {
      const key = this.value()
      map.set(key, this.value())
    }
    return map
  }

  #set(): Set<unknown> {
    const count = this.#reader.count(1)
    const set = this.#keep(new Set<unknown>())
    this.#spend(count * work.entry)
    for (let i = 0; i < count; i++) set.add(this.value())
    return set
  }

  #regexp(): RegExp {
    const source = this.string()
    const flags = this.string()
    if (!isModestPattern(source)) throw malformed('a regular expression that is too large')
    this.#spend(patternWork(source, flags))
    // Each may be as slow as its neighbour.
    if (this.#budget.isSpent()) throw this.#tooSlow()
    try {
      return this.#keep(new RegExp(source, flags))
    } catch {
      throw malformed('a regular expression that is none')
    }
  }

  #error(): Error {
    this.#spend(work.error)
    const name = this.string()
    const message = this.string()
    const stack = this.string()
    const error = this.#keep(newError(name, message))
    if (error.name !== name) hide(error, 'name', name)
    hide(error, 'stack', stack === '' ? `${name}: ${message}` : stack)
    const count = this.#reader.count(2)
    let shape: Shape | undefined
    for (let i = 0; i < count; i++) {
      const key = this.string()
      shape = this.#work.key(shape, key)
      const value = this.value()
      if (key === 'cause' || key === 'errors') hide(error, key, value)
      else if (key !== 'name' && key !== 'message' && key !== 'stack') setField(error, key, value)
    }
    return error
  }

  #buffer(): Uint8Array<ArrayBuffer> {
    const length = this.#reader.count(1)
    this.#spend(work.buffer + length)
    return this.#reader.bytes(length)
  }

  #view(): ArrayBufferView {
    const kind = this.#kindOfView()
    return this.#keep(viewOf(kind, this.#buffer()))
  }

  #kindOfView(): string {
    const kind = viewKinds[this.#reader.byte()]
    if (kind === undefined) throw malformed('an unknown kind of view')
    return kind
  }

  #boxed(): object {
    const primitive = this.value()
    if (primitive === null || primitive === undefined || typeof primitive === 'object' || typeof primitive === 'function') {
      throw malformed('a boxed object')
    }
    return this.#keep(Object(primitive) as object)
  }
}

const none: readonly Uint8Array<ArrayBuffer>[] = Object.freeze([])

/** 2^19 bits. V8 makes larger ones, but a million digits take seconds to show. */
const maxBigintBytes = 64 * 1024
