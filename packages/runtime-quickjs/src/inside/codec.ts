/** Turns values into text and back. */
export interface Codec {
  /** @throws TypeError for what cannot be copied; the message names it. */
  encode(value: unknown): string
  /** @throws whatever comes of text that `encode` did not write. Makes nothing but data of it. */
  decode(text: string): any
}

/**
 * The codec between the engine and this process: a table of objects in JSON, so that circles and what is shared survive. What
 * JSON has itself stands where it is, everything else as a list with its place in the table. One of them works on each side;
 * the one in the engine was made from the text of this function, so it uses nothing but the language; and what that does in a
 * single step is fast there, where a step for each byte is not.
 */
export function codec(): Codec {
  const { fromCharCode } = String
  const chunk = 1024
  const bytesOf = (text: string) => {
    const bytes = new Uint8Array(text.length)
    for (let index = 0; index < bytes.length; index++) bytes[index] = text.charCodeAt(index)
    return bytes
  }
  const textOf = (bytes: Uint8Array) => {
    const parts: string[] = []
    for (let at = 0; at < bytes.length; at += chunk) parts.push(Reflect.apply(fromCharCode, null, bytes.subarray(at, at + chunk)))
    return parts.join('')
  }
  const views: Record<string, any> = {
    __proto__: null,
    ...{ Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
    ...{ Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView },
  }
  const errors: Record<string, any> = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }
  const define = (target: object, key: string, value: unknown, enumerable = true) =>
    Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true })

  const encode = (value: unknown): string => {
    const table: unknown[] = []
    const places = new Map<unknown, number>()
    const waiting: object[] = []
    const place = (item: any): number => {
      const known = places.get(item)
      // A map takes 0 and -0 for the same.
      if (known !== undefined && item !== 0) return known
      const index = table.push(scalar(item)) - 1
      if (item !== 0) places.set(item, index)
      if (typeof item === 'object' && item !== null) waiting.push(item)
      return index
    }
    const slot = (item: any): unknown => {
      const type = typeof item
      const isInline =
        type === 'string' || type === 'boolean' || item === null || (type === 'number' && item - item === 0 && (item !== 0 || 1 / item > 0))
      return isInline ? item : [place(item)]
    }
    place(value)
    while (waiting.length > 0) {
      const item = waiting.pop()!
      table[places.get(item)!] = structure(item, slot)
    }
    return JSON.stringify(table)
  }

  const scalar = (item: any): unknown => {
    switch (typeof item) {
      case 'undefined':
        return ['u']
      case 'bigint':
        return ['b', item.toString()]
      case 'number':
        return Number.isFinite(item) && !Object.is(item, -0) ? item : ['n', Object.is(item, -0) ? '-0' : String(item)]
      case 'function':
        throw new TypeError('a function cannot be copied')
      case 'symbol':
        throw new TypeError('a symbol cannot be copied')
      default:
        return item
    }
  }

  const structure = (item: any, slot: (item: unknown) => unknown): unknown => {
    if (Array.isArray(item)) return list(item, slot)
    if (item instanceof Date) return ['d', item.getTime()]
    if (item instanceof RegExp) return ['r', item.source, item.flags]
    if (item instanceof Map) return ['M', ...[...item].flat(1).map(slot)]
    if (item instanceof Set) return ['S', ...[...item].map(slot)]
    if (item instanceof ArrayBuffer) return ['B', textOf(new Uint8Array(item))]
    if (ArrayBuffer.isView(item)) return ['v', viewName(item), textOf(new Uint8Array(item.buffer, item.byteOffset, item.byteLength))]
    if (item instanceof Error) return ['e', String(item.name), String(item.message), String(item.stack), ...properties(item, slot)]
    for (const kind of [Promise, WeakMap, WeakSet]) if (item instanceof kind) throw new TypeError(`a ${kind.name} cannot be copied`)
    return ['o', ...properties(item, slot)]
  }

  const list = (items: any[], slot: (item: unknown) => unknown): unknown => {
    const entries: unknown[] = ['l']
    for (let index = 0; index < items.length; index++) {
      const item = items[index]
      if (item === undefined && !Object.hasOwn(items, index)) return listWithHoles(items, slot)
      entries.push(slot(item))
    }
    return entries
  }

  const listWithHoles = (items: any[], slot: (item: unknown) => unknown): unknown => {
    const entries: unknown[] = []
    for (const key of Object.keys(items)) if (String(Number(key) >>> 0) === key) entries.push(Number(key), slot(items[key as any]))
    return ['a', items.length, ...entries]
  }

  const viewName = (item: object) => {
    for (const name of Object.keys(views)) if (item instanceof views[name]) return name
    throw new TypeError('a view of an unknown kind cannot be copied')
  }

  const properties = (item: any, slot: (item: unknown) => unknown): unknown[] => {
    const entries: unknown[] = []
    const isError = item instanceof Error
    for (const key of Object.keys(item)) if (!isError || !['name', 'message', 'stack'].includes(key)) entries.push(key, slot(item[key]))
    if (isError && Object.hasOwn(item, 'cause') && !Object.keys(item).includes('cause')) entries.push('cause', slot(item.cause))
    return entries
  }

  const decode = (text: string): any => {
    const table = JSON.parse(text) as any[]
    const values = table.map(made)
    const at = (slot: any) => {
      if (typeof slot !== 'object' || slot === null) return slot
      const index: unknown = Array.isArray(slot) ? slot[0] : undefined
      if (typeof index !== 'number' || !Object.hasOwn(values, index)) throw new TypeError('The table of values has a hole')
      return values[index]
    }
    for (const [index, entry] of table.entries()) if (Array.isArray(entry)) fill(values[index], entry, at)
    return at([0])
  }

  const made = (entry: any): unknown => {
    if (!Array.isArray(entry)) return typeof entry === 'object' && entry !== null ? {} : entry
    const [kind, first, second, third] = entry
    switch (kind) {
      case 'b':
        return BigInt(first)
      case 'n':
        return Number(first)
      case 'l':
        return []
      case 'a':
        return new Array(first >>> 0)
      case 'd':
        return new Date(first ?? Number.NaN)
      case 'r':
        return new RegExp(first, second)
      case 'M':
        return new Map()
      case 'S':
        return new Set()
      case 'B':
        return bytesOf(first).buffer
      case 'v':
        return new views[first](bytesOf(second).buffer)
      case 'e': {
        const error = new (errors[first] ?? Error)(String(second))
        if (error.name !== first) define(error, 'name', String(first), false)
        define(error, 'stack', String(third), false)
        return error
      }
      case 'o':
        return {}
      default:
        return undefined
    }
  }

  const fill = (target: any, entry: any[], at: (slot: unknown) => unknown): void => {
    const kind = entry[0]
    if (kind === 'l') for (let index = 1; index < entry.length; index++) target.push(at(entry[index]))
    else if (kind === 'a') for (let index = 2; index < entry.length; index += 2) target[entry[index] >>> 0] = at(entry[index + 1])
    else if (kind === 'M') for (let index = 1; index < entry.length; index += 2) target.set(at(entry[index]), at(entry[index + 1]))
    else if (kind === 'S') for (let index = 1; index < entry.length; index++) target.add(at(entry[index]))
    else if (kind === 'o' || kind === 'e') {
      for (let index = kind === 'o' ? 1 : 4; index < entry.length; index += 2) {
        const key = String(entry[index])
        define(target, key, at(entry[index + 1]), kind === 'o' || key !== 'cause')
      }
    }
  }

  return { encode, decode }
}
