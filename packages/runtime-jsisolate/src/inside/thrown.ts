/** What is known of something that the program threw: plain data, whatever it was. */
export interface Thrown {
  readonly name: string
  readonly message: string
  readonly stack?: string
  /** Facts of an error, or plain data. */
  readonly cause?: { readonly thrown: Thrown } | { readonly value: unknown }
  readonly errors?: readonly ({ readonly thrown: Thrown } | { readonly value: unknown })[]
  readonly fields: Record<string, unknown>
}

/** Reads what the program threw. Runs inside the isolate: uses nothing but the language, and never throws. */
export function thrownReader() {
  const { apply, get, getOwnPropertyDescriptor, getPrototypeOf, defineProperty } = Reflect
  const { hasOwn, keys } = Object
  const { isArray } = Array
  const { slice } = String.prototype
  const ObjectPrototype = Object.prototype
  const DatePrototype = Date.prototype
  const DateConstructor = Date
  const { getTime } = Date.prototype
  const toText = String
  const maxText = 65_536
  const maxFields = 64
  const maxItems = 1024
  const maxDepth = 8

  function read(value: unknown, depth = 0): Thrown {
    if (typeof value === 'string') return { name: 'Error', message: cut(value), fields: { __proto__: null, thrown: cut(value) } as {} }
    if (!isObject(value)) {
      const fields = { __proto__: null } as Record<string, unknown>
      if (typeof value !== 'symbol') fields.thrown = value
      return { name: 'Error', message: `The program threw ${toText(value)}`, fields }
    }
    const name = read1(value, 'name')
    const message = read1(value, 'message')
    const stack = read1(value, 'stack')
    const errors = read1(value, 'errors')
    const isFunction = typeof value === 'function'
    return {
      name: typeof name === 'string' && name !== '' && !isFunction ? cut(name) : 'Error',
      message: typeof message === 'string' ? cut(message) : `The program threw ${isFunction ? 'a function' : 'an object that is no Error'}`,
      ...(typeof stack === 'string' && { stack: cut(stack) }),
      ...(owns(value, 'cause') && { cause: nested(read1(value, 'cause'), depth) }),
      ...(owns(value, 'errors') && safeIsArray(errors) && { errors: nestedList(errors, depth) }),
      fields: dataFields(value),
    }
  }

  function nested(value: unknown, depth: number): { thrown: Thrown } | { value: unknown } {
    if (isObject(value) && typeof read1(value, 'message') === 'string' && depth < maxDepth) return { thrown: read(value, depth + 1) }
    return { value: plain(value, 0, { left: maxItems }) }
  }

  function nestedList(list: unknown[], depth: number) {
    const facts: ReturnType<typeof nested>[] = []
    const length = read1(list, 'length')
    for (let index = 0; typeof length === 'number' && index < length && index < maxFields; index++) {
      facts[index] = nested(read1(list, index), depth)
    }
    return facts
  }

  function dataFields(value: object): Record<string, unknown> {
    const fields = { __proto__: null } as Record<string, unknown>
    const budget = { left: maxItems }
    const code = read1(value, 'code')
    if (typeof code === 'string' || typeof code === 'number') fields.code = code
    try {
      const names = keys(value)
      for (let index = 0, count = 0; index < names.length && count < maxFields; index++) {
        const name = names[index]!
        if (name === 'name' || name === 'message' || name === 'stack' || name === 'cause' || name === 'errors' || name === 'code') continue
        const descriptor = getOwnPropertyDescriptor(value, name)
        if (descriptor === undefined || !hasOwn(descriptor, 'value')) continue
        if (typeof descriptor.value === 'function' || typeof descriptor.value === 'symbol') continue
        fields[name] = plain(descriptor.value, 0, budget)
        count++
      }
    } catch {
      // A proxy that throws has no fields.
    }
    return fields
  }

  /** Copies plain data; anything else, and what lies too deep, becomes undefined. */
  function plain(value: unknown, depth: number, budget: { left: number }): unknown {
    if (typeof value === 'string') return cut(value)
    if (!isObject(value)) return typeof value === 'symbol' ? undefined : value
    if (depth >= maxDepth || budget.left-- <= 0) return undefined
    try {
      if (isArray(value)) {
        const list: unknown[] = []
        for (let index = 0; index < value.length && index < maxItems; index++) {
          define(list, index, plain(get(value, index), depth + 1, budget))
        }
        return list
      }
      const prototype = getPrototypeOf(value)
      if (prototype === DatePrototype) return new DateConstructor(apply(getTime, value, []) as number)
      if (prototype !== null && prototype !== ObjectPrototype) return undefined
      const object = {}
      const names = keys(value)
      for (let index = 0; index < names.length && index < maxItems; index++) {
        define(object, names[index]!, plain(get(value, names[index]!), depth + 1, budget))
      }
      return object
    } catch {
      return undefined
    }
  }

  function define(target: object, key: PropertyKey, value: unknown): void {
    defineProperty(target, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true } as PropertyDescriptor)
  }

  function read1(object: object, key: PropertyKey): unknown {
    try {
      return get(object, key)
    } catch {
      return undefined
    }
  }

  function owns(object: object, key: PropertyKey): boolean {
    try {
      return hasOwn(object, key)
    } catch {
      return false
    }
  }

  function safeIsArray(value: unknown): value is unknown[] {
    try {
      return isArray(value)
    } catch {
      return false
    }
  }

  function cut(value: string): string {
    return value.length <= maxText ? value : `${apply(slice, value, [0, maxText])}…`
  }

  function isObject(value: unknown): value is object {
    return (typeof value === 'object' && value !== null) || typeof value === 'function'
  }

  return read
}
