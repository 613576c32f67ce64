import type { Fact, Packed } from './pack.ts'

/** Makes what stands for the functions and streams of the other side. */
export interface OtherReferences {
  callback(id: number): Function
  stream(id: number): object
}

/** Unpacks values. Runs on both sides of the isolate's wall: uses nothing but the language. */
export function unpacker(others: OtherReferences) {
  const { apply, defineProperty, get, getPrototypeOf } = Reflect
  const { keys } = Object
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const MapConstructor = Map
  const SetConstructor = Set
  const MapPrototype = Map.prototype
  const SetPrototype = Set.prototype
  const { get: mapGet, set: mapSet, has: mapHas, forEach: mapForEach, clear: mapClear } = Map.prototype
  const { add: setAdd, has: setHas, forEach: setForEach, clear: setClear } = Set.prototype
  const TypeErrorConstructor = TypeError
  const ErrorConstructor = Error
  const AggregateErrorConstructor = AggregateError
  const natives = { __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as unknown as Record<
    string,
    ErrorConstructor
  >
  const maxFacts = 65_536

  /** Makes a value of what the other side packed. Whatever that is, no function comes to stand where the language calls it. */
  function unpack(packed: Packed): unknown {
    const { value, markers, facts } = packed
    if (markers === undefined || facts === undefined) return value
    if (!isArray(markers) || !isArray(facts) || markers.length !== facts.length || facts.length > maxFacts) throw malformed()
    const made = new MapConstructor<unknown, unknown>()
    for (let index = 0; index < facts.length; index++) apply(mapSet, made, [markers[index], make(facts[index] as Fact)])
    const seen = new SetConstructor<unknown>()

    function replace(item: unknown): unknown {
      if (!isObject(item)) return item
      if (apply(mapHas, made, [item])) return apply(mapGet, made, [item])
      if (isView(item) || apply(setHas, seen, [item])) return item
      apply(setAdd, seen, [item])
      const prototype = getPrototypeOf(item)
      if (prototype === MapPrototype) {
        const entries: [unknown, unknown][] = []
        apply(mapForEach, item, [(value: unknown, key: unknown) => append(entries, [replace(key), replace(value)])])
        apply(mapClear, item, [])
        for (let index = 0; index < entries.length; index++) apply(mapSet, item, entries[index]!)
      } else if (prototype === SetPrototype) {
        const items: unknown[] = []
        apply(setForEach, item, [(value: unknown) => append(items, replace(value))])
        apply(setClear, item, [])
        for (let index = 0; index < items.length; index++) apply(setAdd, item, [items[index]])
      } else replaceFields(item, item, true)
      return item
    }

    function replaceFields(from: object, to: object, isEnumerable: boolean): void {
      const names = keys(from)
      for (let index = 0; index < names.length; index++) {
        const name = names[index]!
        const before: unknown = get(from, name)
        const after = replace(before)
        if (typeof after === 'function' && isCalledByLanguage(name)) throw malformed()
        if (from !== to || after !== before) define(to, name, after, isEnumerable || (name !== 'cause' && name !== 'errors'))
      }
    }

    for (let index = 0; index < facts.length; index++) {
      const fact = facts[index] as Fact
      if (fact.kind === 'error' && isObject(fact.fields)) replaceFields(fact.fields, apply(mapGet, made, [markers[index]]) as object, false)
    }
    return replace(value)
  }

  function make(fact: Fact): unknown {
    if (!isObject(fact)) throw malformed()
    if (fact.kind === 'callback' || fact.kind === 'stream') return others[fact.kind](fact.id)
    if (fact.kind !== 'error') throw malformed()
    const name = text(fact.name, 'Error')
    const message = text(fact.message, '')
    const error = name === 'AggregateError' ? new AggregateErrorConstructor([], message) : new (natives[name] ?? ErrorConstructor)(message)
    if (error.name !== name) define(error, 'name', name, false)
    define(error, 'stack', text(fact.stack, `${name}: ${message}`), false)
    return error
  }

  /** As in the codec of the call channel: the language calls functions of these names by itself. */
  function isCalledByLanguage(name: string): boolean {
    return name === 'then' || name === 'toJSON' || name === 'toString' || name === 'toLocaleString' || name === 'valueOf'
  }

  function malformed(): Error {
    return new TypeErrorConstructor('A value that came across is malformed')
  }

  function text(value: unknown, otherwise: string): string {
    return typeof value === 'string' ? value : otherwise
  }

  function isObject(value: unknown): value is object {
    return (typeof value === 'object' && value !== null) || typeof value === 'function'
  }

  function define(target: object, key: string, value: unknown, enumerable = true): void {
    defineProperty(target, key, { __proto__: null, value, enumerable, writable: true, configurable: true } as PropertyDescriptor)
  }

  function append<T>(list: T[], value: T): void {
    defineProperty(list, list.length, {
      __proto__: null,
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    } as PropertyDescriptor)
  }

  return unpack
}
