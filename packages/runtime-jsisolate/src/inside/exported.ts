/** A function and the object that it is called on. */
export interface Method {
  readonly owner: unknown
  readonly call: (...args: unknown[]) => unknown
}

/** One line of the description of what is exported, as plain data. */
export type Described = { type: 'method'; name: string } | { type: 'object'; name: string; children: Described[] }

/** Finds and describes exported functions. Runs inside the isolate: uses nothing but the language. */
export function exported() {
  const { apply, defineProperty, get, getPrototypeOf, getOwnPropertyDescriptor, ownKeys } = Reflect
  const { hasOwn, keys } = Object
  const { toString: textOf } = Function.prototype
  const { endsWith, indexOf, slice } = String.prototype
  const { includes } = Array.prototype
  const maxDescribed = 10_000
  const maxDepth = 16
  const maxPrototypes = 16

  /**
   * Each step of a dotted name takes an own property, or a member of a user-defined class; what every object inherits
   * from the language is not found. Getters run, and may throw.
   */
  function find(root: unknown, name: string): Method | undefined {
    let owner = root
    let rest = name
    while (isObject(owner)) {
      // A key may hold dots itself, and wins, as the description gives it that name.
      let key = rest
      if (!hasMember(owner, key)) {
        const dot = apply(indexOf, rest, ['.']) as number
        if (dot === -1) return undefined
        key = apply(slice, rest, [0, dot]) as string
        if (!hasMember(owner, key)) return undefined
      }
      const value: unknown = get(owner, key)
      if (key.length === rest.length) return typeof value === 'function' ? { owner, call: value as Method['call'] } : undefined
      owner = value
      rest = apply(slice, rest, [key.length + 1]) as string
    }
    return undefined
  }

  /** What throws, repeats itself or lies too deep is left out. */
  function describe(root: unknown): Described[] {
    return describeChildren(root, [], { left: maxDescribed })
  }

  function describeChildren(object: unknown, path: unknown[], budget: { left: number }): Described[] {
    const children: Described[] = []
    if (!isObject(object) || path.length >= maxDepth || apply(includes, path, [object])) return children
    append(path, object)
    const names = memberNames(object)
    for (let index = 0; index < names.length && budget.left-- > 0; index++) {
      const name = names[index]!
      const value = attempt(() => get(object, name))
      if (typeof value === 'function') append(children, { type: 'method', name })
      const below = describeChildren(value, path, budget)
      if (below.length > 0) append(children, { type: 'object', name, children: below })
    }
    path.length--
    return children
  }

  function memberNames(object: object): string[] {
    const names = attempt(() => keys(object)) ?? []
    const found: string[] = []
    for (let index = 0; index < names.length && index < maxDescribed; index++) {
      if (!isHidden(names[index]!)) append(found, names[index]!)
    }
    if (typeof object === 'function') return found
    let prototype = userPrototype(object)
    for (let steps = 0; prototype !== undefined && steps < maxPrototypes; steps++) {
      const holder = prototype
      const inherited = attempt(() => ownKeys(holder)) ?? []
      for (let index = 0; index < inherited.length && index < maxDescribed; index++) {
        const key = inherited[index]!
        if (typeof key === 'string' && !apply(includes, found, [key]) && attempt(() => hasMember(object, key))) append(found, key)
      }
      prototype = userPrototype(prototype)
    }
    return found
  }

  function hasMember(object: object, key: string): boolean {
    if (isHidden(key)) return false
    if (hasOwn(object, key)) return true
    let prototype = userPrototype(object)
    for (let steps = 0; prototype !== undefined && steps < maxPrototypes; steps++) {
      const descriptor = getOwnPropertyDescriptor(prototype, key)
      if (descriptor !== undefined) return !isBuiltin(descriptor.value)
      prototype = userPrototype(prototype)
    }
    return false
  }

  /** The prototype, unless it is one of the language: those have a native constructor. */
  function userPrototype(object: object): object | undefined {
    return attempt(() => {
      const prototype = getPrototypeOf(object)
      if (prototype === null) return undefined
      const maker = getOwnPropertyDescriptor(prototype, 'constructor')
      if (maker === undefined) return prototype
      return maker.get !== undefined || isBuiltin(maker.value) ? undefined : prototype
    })
  }

  // A plain assignment would run a setter that the program put on Array.prototype.
  function append<T>(list: T[], value: T): void {
    defineProperty(list, list.length, {
      __proto__: null,
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    } as PropertyDescriptor)
  }

  function isHidden(key: string): boolean {
    return key === 'constructor' || key === '__proto__' || key === 'prototype'
  }

  function isBuiltin(value: unknown): boolean {
    return typeof value === 'function' && (apply(endsWith, apply(textOf, value, []), ['{ [native code] }']) as boolean)
  }

  function isObject(value: unknown): value is object {
    return (typeof value === 'object' && value !== null) || typeof value === 'function'
  }

  function attempt<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch {
      return undefined
    }
  }

  return { find, describe }
}
