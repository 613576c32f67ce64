/** A function that a program exports, and the object to call it on. */
interface Method {
  readonly owner: unknown
  readonly call: Function
}

/** What is found among the exports of a program. */
export interface Exported {
  find(root: unknown, name: string): Method | undefined
  /** The functions below `root` as a tree: names, each with the names below it. */
  describe(root: unknown): Described[]
}

/** A name; `below` is there for an object. */
interface Described {
  readonly name: string
  readonly below?: Described[]
}

/**
 * Own properties and members of the program's own classes count, what the language gives every object does not. Crosses
 * into the engine as its own text.
 */
export function exported(): Exported {
  const hidden = ['constructor', '__proto__', 'prototype']
  const isObject = (value: unknown): value is Record<string, unknown> =>
    (typeof value === 'object' && value !== null) || typeof value === 'function'
  const functionText = Function.prototype.toString
  const isBuiltin = (value: unknown) => typeof value === 'function' && /\{\s*\[native code\]\s*\}$/.test(functionText.call(value))

  const prototypes = (object: object) => {
    const found: object[] = []
    let prototype: any = Object.getPrototypeOf(object)
    while (prototype !== null && found.length < 16) {
      const maker = Object.getOwnPropertyDescriptor(prototype, 'constructor')
      if (maker !== undefined && (maker.get !== undefined || isBuiltin(maker.value))) break
      found.push(prototype)
      prototype = Object.getPrototypeOf(prototype)
    }
    return found
  }

  const has = (object: object, key: string) => {
    if (hidden.includes(key)) return false
    if (Object.hasOwn(object, key)) return true
    for (const prototype of prototypes(object)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
      if (descriptor !== undefined) return !isBuiltin(descriptor.value)
    }
    return false
  }

  const find = (root: unknown, name: string): Method | undefined => {
    let owner = root
    const keys = name.split('.')
    const last = keys.pop()!
    for (const key of keys) {
      if (!isObject(owner) || !has(owner, key)) return undefined
      owner = owner[key]
    }
    if (!isObject(owner) || !has(owner, last)) return undefined
    const call = owner[last]
    return typeof call === 'function' ? { owner, call } : undefined
  }

  const describe = (root: unknown): Described[] => {
    let left = 10_000
    const below = (object: unknown, ancestors: unknown[]): Described[] => {
      if (!isObject(object) || ancestors.length >= 16 || ancestors.includes(object)) return []
      const found: Described[] = []
      const names = new Set(Object.keys(object))
      if (typeof object !== 'function') {
        for (const prototype of prototypes(object)) for (const key of Object.getOwnPropertyNames(prototype)) names.add(key)
      }
      for (const name of names) {
        if (left-- <= 0 || !has(object, name)) continue
        try {
          const value = object[name]
          if (typeof value === 'function') found.push({ name })
          const members = below(value, [...ancestors, object])
          if (members.length > 0) found.push({ name, below: members })
        } catch {
          // A getter that throws is nobody's function.
        }
      }
      return found
    }
    return below(root, [])
  }

  return { find, describe }
}
