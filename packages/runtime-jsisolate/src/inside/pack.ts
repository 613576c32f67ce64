/**
 * A value on its way in or out, for structured clone. What that cannot copy stands in the value as a marker, an empty
 * object that is known by its identity and so cannot be imitated by data; `facts` tell, marker by marker, what it stands for.
 */
export interface Packed {
  readonly value: unknown
  readonly markers?: readonly object[]
  readonly facts?: readonly Fact[]
}

/** What a marker stands for. Functions and streams are numbers of the sender's table. */
export type Fact =
  | { readonly kind: 'callback' | 'stream'; readonly id: number }
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      /** Own fields, `cause` and `errors` among them. */
      readonly fields: Record<string, unknown>
    }

/** The functions and streams that one side gave to the other. */
export interface OwnReferences {
  /** @throws when there are too many. */
  give(kind: 'callback' | 'stream', value: object): number
  /** Takes back a number that never crossed. */
  takeBack(kind: 'callback' | 'stream', id: number): void
  /** Whether an object that could cross as a stream does not. */
  isRefused(value: object): boolean
  /** Whether it is memory that both sides could change, or a view of some. */
  isShared(value: object): boolean
}

/**
 * Packs values. Runs on both sides of the isolate's wall: uses nothing but the language.
 * @param keepStacks Whether errors take their stacks along.
 */
export function packer(tables: OwnReferences, keepStacks: boolean) {
  const { apply, defineProperty, get, getPrototypeOf } = Reflect
  const { hasOwn, keys } = Object
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const isError = (Error as unknown as { isError(value: unknown): boolean }).isError
  const MapConstructor = Map
  const SetConstructor = Set
  const ObjectPrototype = Object.prototype
  const MapPrototype = Map.prototype
  const SetPrototype = Set.prototype
  const PromisePrototype = Promise.prototype
  const WeakMapPrototype = WeakMap.prototype
  const WeakSetPrototype = WeakSet.prototype
  const { get: mapGet, set: mapSet, has: mapHas, forEach: mapForEach } = Map.prototype
  const { add: setAdd, has: setHas, forEach: setForEach } = Set.prototype
  const { toString: tagOf } = Object.prototype
  const { test } = RegExp.prototype
  const plainName = /^[A-Za-z_$][\w$]*$/
  const quote = JSON.stringify
  const TypeErrorConstructor = TypeError
  const asyncIterator: typeof Symbol.asyncIterator = Symbol.asyncIterator

  /**
   * @param root How an error calls the value.
   * @throws a TypeError with the place of what cannot cross, as far as this looks; the copying itself finds more.
   */
  function pack(value: unknown, root: string): Packed {
    if (!needsMarkers(value, new SetConstructor())) return { value }
    const markers: object[] = []
    const facts: Fact[] = []
    const copies = new MapConstructor<object, unknown>()
    const mark = (original: object, fact: Fact): object => {
      const marker = {}
      apply(mapSet, copies, [original, marker])
      append(markers, marker)
      append(facts, fact)
      return marker
    }
    const give = (kind: 'callback' | 'stream', original: object, place: string, isWithin: boolean) => {
      if (isWithin || tables.isRefused(original)) throw cannotCross(place, kind === 'callback' ? 'a function' : nameOf(original))
      return mark(original, { kind, id: tables.give(kind, original) })
    }

    /** @param isWithin within an object of some class, or an error: their functions are their own affair. */
    function copy(item: unknown, place: string, isWithin: boolean): unknown {
      if (!isObject(item)) return item
      if (apply(mapHas, copies, [item])) return apply(mapGet, copies, [item])
      if (typeof item === 'function') return give('callback', item, place, isWithin)
      if (isError(item)) return copyError(item as Error, place)
      const prototype = getPrototypeOf(item)
      if (isArray(item)) {
        const list: unknown[] = []
        apply(mapSet, copies, [item, list])
        list.length = item.length
        copyFields(item, list, place, isWithin)
        return list
      }
      if (prototype === MapPrototype) {
        const map = new MapConstructor()
        apply(mapSet, copies, [item, map])
        let index = 0
        const each = (value: unknown, key: unknown) => {
          const at = index++
          apply(mapSet, map, [copy(key, `${place}.keys[${at}]`, isWithin), copy(value, `${place}.values[${at}]`, isWithin)])
        }
        apply(mapForEach, item, [each])
        return map
      }
      if (prototype === SetPrototype) {
        const set = new SetConstructor()
        apply(mapSet, copies, [item, set])
        let index = 0
        apply(setForEach, item, [(value: unknown) => apply(setAdd, set, [copy(value, `${place}.values[${index++}]`, isWithin)])])
        return set
      }
      if (isStream(item)) return give('stream', item, place, isWithin)
      if (tables.isShared(item)) throw cannotCross(place, 'shared memory')
      const isPlain = prototype === null || prototype === ObjectPrototype
      if (!isPlain && (isView(item) || apply(tagOf, item, []) !== '[object Object]')) return item
      const object = {}
      apply(mapSet, copies, [item, object])
      if (isPlain) copyFields(item, object, place, isWithin)
      else copyInstance(item, object, place)
      return object
    }

    function copyFields(from: object, to: object, place: string, isWithin: boolean): void {
      const names = keys(from)
      for (let index = 0; index < names.length; index++) {
        const name = names[index]!
        const value: unknown = get(from, name)
        const at = place + step(from, name)
        if (typeof value === 'function' && isCalledByLanguage(name)) throw cannotCross(at, 'a function of this name')
        define(to, name, copy(value, at, isWithin))
      }
    }

    /** When a part of it cannot cross, it is the object that is named. */
    function copyInstance(from: object, to: object, place: string): void {
      try {
        copyFields(from, to, place, true)
      } catch (error) {
        if (!hasOwn(error as object, 'place')) throw error
        throw cannotCross(place, nameOf(from))
      }
    }

    function copyError(error: Error, place: string): unknown {
      const fields = {}
      const stack: unknown = keepStacks ? get(error, 'stack') : undefined
      const marker = mark(error, {
        kind: 'error',
        name: text(get(error, 'name'), 'Error'),
        message: text(get(error, 'message'), ''),
        stack: typeof stack === 'string' ? stack : undefined,
        fields,
      })
      const names = keys(error)
      for (let index = 0; index < names.length; index++) {
        const name = names[index]!
        if (name !== 'name' && name !== 'message' && name !== 'stack' && name !== 'cause' && name !== 'errors') {
          define(fields, name, copy(get(error, name), place + step(error, name), true))
        }
      }
      if (hasOwn(error, 'cause')) define(fields, 'cause', copy(get(error, 'cause'), `${place}.cause`, true))
      if (hasOwn(error, 'errors')) define(fields, 'errors', copy(get(error, 'errors'), `${place}.errors`, true))
      return marker
    }

    try {
      return { value: copy(value, root, false), markers, facts }
    } catch (error) {
      undo({ value: undefined, facts })
      throw error
    }
  }

  /** Takes back the numbers of what did not cross after all. */
  function undo({ facts = [] }: Packed): void {
    for (let index = 0; index < facts.length; index++) {
      const fact = facts[index]!
      if (fact.kind !== 'error') tables.takeBack(fact.kind, fact.id)
    }
  }

  function needsMarkers(value: unknown, seen: Set<unknown>): boolean {
    if (!isObject(value)) return false
    if (typeof value === 'function' || isError(value)) return true
    if (tables.isShared(value)) return true
    if (isView(value) || apply(setHas, seen, [value])) return false
    apply(setAdd, seen, [value])
    if (isStream(value)) return true
    const prototype = getPrototypeOf(value)
    let isNeeded = false
    const look = (item: unknown, key: unknown) => {
      isNeeded ||= needsMarkers(item, seen) || needsMarkers(key, seen)
    }
    if (prototype === MapPrototype) apply(mapForEach, value, [look])
    else if (prototype === SetPrototype) apply(setForEach, value, [look])
    const names = keys(value)
    for (let index = 0; index < names.length && !isNeeded; index++) isNeeded = needsMarkers(get(value, names[index]!), seen)
    return isNeeded
  }

  /**
   * Finds what structured clone would not copy.
   * @param clone copies one thing, or throws.
   */
  function whyNot(value: unknown, root: string, clone: (value: unknown) => unknown): string | undefined {
    const seen = new SetConstructor<unknown>()

    function look(item: unknown, place: string): string | undefined {
      if (typeof item === 'symbol') return `${place}: a symbol`
      if (!isObject(item) || typeof item === 'function' || apply(setHas, seen, [item])) return undefined
      apply(setAdd, seen, [item])
      const prototype = getPrototypeOf(item)
      let found: string | undefined
      if (prototype === MapPrototype) {
        let index = 0
        const each = (value: unknown, key: unknown) => {
          found ??= look(key, `${place}.keys[${index}]`) ?? look(value, `${place}.values[${index}]`)
          index++
        }
        apply(mapForEach, item, [each])
        return found
      }
      if (prototype === SetPrototype) {
        let index = 0
        apply(setForEach, item, [(value: unknown) => (found ??= look(value, `${place}.values[${index++}]`))])
        return found
      }
      const isPlain = prototype === null || prototype === ObjectPrototype || isArray(item)
      if (isPlain) {
        const names = keys(item)
        for (let index = 0; index < names.length && found === undefined; index++) {
          found = look(get(item, names[index]!), place + step(item, names[index]!))
        }
        return found
      }
      try {
        clone(item)
        return undefined
      } catch {
        return `${place}: ${nameOf(item)}`
      }
    }

    try {
      const found = look(value, root)
      return found === undefined ? undefined : `${found} cannot cross between host and guest`
    } catch {
      return undefined
    }
  }

  function isStream(value: object): boolean {
    return asyncIterator in value && typeof get(value, asyncIterator) === 'function'
  }

  /** As in the codec of the call channel: the language calls functions of these names by itself. */
  function isCalledByLanguage(name: string): boolean {
    return name === 'then' || name === 'toJSON' || name === 'toString' || name === 'toLocaleString' || name === 'valueOf'
  }

  function cannotCross(place: string, what: string): Error {
    const error = new TypeErrorConstructor(`${place}: ${what} cannot cross between host and guest`)
    define(error, 'place', place, false)
    define(error, 'code', 'ERR_CONFINE_VALUE', false)
    return error
  }

  function nameOf(value: object): string {
    const prototype = getPrototypeOf(value)
    if (prototype === PromisePrototype) return 'a Promise'
    if (prototype === WeakMapPrototype || prototype === WeakSetPrototype) return 'a weak collection'
    const maker: unknown = get(value, 'constructor')
    const name: unknown = typeof maker === 'function' ? get(maker, 'name') : undefined
    return `a ${text(name, '') || 'object of an unnamed class'}`
  }

  function step(owner: object, name: string): string {
    if (isArray(owner)) return `[${name}]`
    return apply(test, plainName, [name]) ? `.${name}` : `[${quote(name)}]`
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

  return { pack, undo, whyNot }
}
