/** What the prelude is given from the process's own realm. */
export interface Outside {
  /** The process's own constructors and prototypes. */
  readonly intrinsics: typeof globalThis
  /** Names of constructors whose objects Node makes in the process's realm, whatever realm asks: they are shared. */
  readonly shared: readonly string[]
  /** Names of constructors for which `instanceof` accepts both realms. */
  readonly bridged: readonly string[]
  isError(value: unknown): boolean
}

/** What the prelude gives back: functions that make values of the program's realm. */
export interface RealmTools {
  /** Leaves the frames of the process out of stacks, except those in files that `isGuestFile` names. */
  hideFrames(isGuestFile: (name: string) => boolean): void
  /** A new empty object. */
  object(): Record<string, unknown>
  /** A copy of plain data and errors in this realm, and functions and streams that pass on; everything else as it is. */
  adopt(value: unknown): unknown
  /** An asynchronous function of this realm that passes its arguments to `call`. */
  hostFunction(name: string, call: (args: unknown[]) => unknown): (...args: unknown[]) => Promise<unknown>
  /** The same function, whose failure nobody has to handle. */
  quiet(call: (...args: unknown[]) => Promise<unknown>): (...args: unknown[]) => Promise<unknown>
}

/**
 * Runs inside a new realm, before the program. It is turned into text, so it uses nothing but its argument and the
 * globals of the realm.
 */
export function realmPrelude(outside: Outside): RealmTools {
  const { intrinsics, isError } = outside
  const realm = globalThis as Record<string, any>
  const other = intrinsics as Record<string, any>
  const errors: Record<string, ErrorConstructor> = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }
  const { defineProperty, getPrototypeOf, keys, hasOwn } = Object
  const ordinaryHasInstance = Function.prototype[Symbol.hasInstance]

  for (const name of outside.shared) {
    defineProperty(realm, name, { value: other[name], writable: true, configurable: true })
  }
  for (const name of outside.bridged) {
    const own = realm[name]
    const foreign = other[name]
    defineProperty(own, Symbol.hasInstance, {
      configurable: true,
      value(this: unknown, value: unknown) {
        return ordinaryHasInstance.call(this as Function, value) || (this === own && value instanceof foreign)
      },
    })
  }
  const cloneOutside = other.structuredClone
  defineProperty(realm, 'structuredClone', {
    value: function structuredClone(value: unknown, options?: unknown) {
      return adopt(cloneOutside(value, options))
    },
    writable: true,
    configurable: true,
    enumerable: true,
  })

  function adopt(value: unknown): unknown {
    return (typeof value === 'object' && value !== null) || typeof value === 'function' ? copy(value, new Map()) : value
  }

  function copy(value: any, copies: Map<object, unknown>): unknown {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return value
    const known = copies.get(value)
    if (known !== undefined) return known
    if (typeof value === 'function') {
      const callback = adoptFunction(value)
      copies.set(value, callback)
      return callback
    }
    const prototype = getPrototypeOf(value)
    if (prototype === other.Object.prototype || prototype === null) {
      const object: Record<string, unknown> = prototype === null ? { __proto__: null } : {}
      copies.set(value, object)
      copyFields(value, object, copies)
      return object
    }
    if (prototype === other.Array.prototype) {
      const array: unknown[] = []
      copies.set(value, array)
      for (let index = 0; index < value.length; index++) {
        if (index in value) array[index] = copy(value[index], copies)
      }
      array.length = value.length
      return array
    }
    if (prototype === other.Date.prototype) return new Date(+value)
    if (prototype === other.RegExp.prototype) return new RegExp(value.source, value.flags)
    if (prototype === other.Map.prototype) {
      const map = new Map()
      copies.set(value, map)
      for (const [key, item] of value) map.set(copy(key, copies), copy(item, copies))
      return map
    }
    if (prototype === other.Set.prototype) {
      const set = new Set()
      copies.set(value, set)
      for (const item of value) set.add(copy(item, copies))
      return set
    }
    if (isError(value) && !(prototype === null || ordinaryHasInstance.call(Error, value))) {
      const error = copyError(value, copies)
      if (typeof value.stack === 'string') defineProperty(error, 'stack', { value: value.stack, writable: true, configurable: true })
      return error
    }
    if (typeof value[Symbol.asyncIterator] !== 'function') return value
    const stream = adoptStream(value)
    copies.set(value, stream)
    return stream
  }

  /** A function that passes on to one of outside. */
  function adoptFunction(value: any): unknown {
    const callback = hostFunction(value.name, (args) => value(...args))
    const release = { value: () => value.release?.(), writable: true, configurable: true }
    return Object.defineProperties(callback, { release, [Symbol.dispose]: release })
  }

  /** An iterator that passes on to one of outside. */
  function adoptStream(value: any): unknown {
    const iterator = value[Symbol.asyncIterator]()
    const stop = hostFunction('return', async () => (await iterator.return?.()) ?? { done: true, value: undefined })
    return {
      next: hostFunction('next', () => iterator.next()),
      return: stop,
      [Symbol.asyncIterator]() {
        return this
      },
      async [Symbol.asyncDispose]() {
        await stop()
      },
    }
  }

  function hostFunction(name: string, call: (args: unknown[]) => unknown): (...args: unknown[]) => Promise<unknown> {
    // An error that is made here, after an await, names the program's own calls in its stack.
    const host = async (...args: unknown[]) => {
      try {
        return adopt(await call(args))
      } catch (error) {
        throw isError(error) ? told(error) : error
      }
    }
    return defineProperty(host, 'name', { value: name, configurable: true })
  }

  function makeError(value: any): Error {
    const name = `${value.name}`
    if (name === 'AggregateError') return new AggregateError([], `${value.message}`)
    const error = new (hasOwn(errors, name) ? errors[name]! : Error)(`${value.message}`)
    if (error.name !== name) defineProperty(error, 'name', { value: name, writable: true, configurable: true })
    return error
  }

  /** An error that happened outside: its name, message and code, and no more. */
  function told(value: any): Error {
    const error = makeError(value)
    const { code } = value
    if (typeof code === 'string' || typeof code === 'number') (error as { code?: unknown }).code = code
    return error
  }

  function copyError(value: any, copies: Map<object, unknown>): Error {
    const error = makeError(value)
    copies.set(value, error)
    if (hasOwn(value, 'cause')) {
      defineProperty(error, 'cause', { value: copy(value.cause, copies), writable: true, configurable: true })
    }
    if (hasOwn(value, 'errors')) {
      defineProperty(error, 'errors', { value: copy(value.errors, copies), writable: true, configurable: true })
    }
    copyFields(value, error, copies)
    return error
  }

  function copyFields(from: any, to: any, copies: Map<object, unknown>): void {
    for (const key of keys(from)) {
      const value = copy(from[key], copies)
      if (key === '__proto__') defineProperty(to, key, { value, writable: true, configurable: true, enumerable: true })
      else to[key] = value
    }
  }

  return {
    hideFrames(isGuestFile) {
      const { toString: head } = Error.prototype
      Error.prepareStackTrace = (error, sites) => {
        const frames = sites.filter((site) => isGuestFile(site.getFileName() ?? ''))
        return [head.call(error), ...frames].join('\n    at ')
      }
    },
    object: () => ({}),
    adopt,
    hostFunction,
    quiet(call) {
      const quiet = (...args: unknown[]) => {
        const promise = call(...args)
        promise.catch(() => {})
        return promise
      }
      return defineProperty(quiet, 'name', { value: call.name, configurable: true })
    },
  }
}
