/**
 * A program's exports as the host calls them: every function gives a promise, objects nest. Only the last of a function's
 * overloads is seen.
 */
export type ContainerApi<Api> = 0 extends 1 & Api
  ? any
  : {
      readonly [Name in keyof Api as Name extends string ? (Api[Name] extends object ? Name : never) : never]: Api[Name] extends (
        ...params: infer Params
      ) => infer Result
        ? (...params: Params) => Promise<Awaited<Result>>
        : ContainerApi<Api[Name]>
    }

/**
 * An object on which every name is a function that calls the export of that name, and holds the names below it. It knows
 * nothing of the program: a name that is not exported fails when it is called. It is no thenable, it has no member that
 * every object has, and nothing can be set on it.
 */
export function containerApi<Api>(call: (name: string, params: unknown[]) => Promise<unknown>): ContainerApi<Api> {
  return apiNode('', call) as ContainerApi<Api>
}

function apiNode(path: string, call: (name: string, params: unknown[]) => Promise<unknown>): object {
  const target = path === '' ? Object.create(null) : nothing()
  return new Proxy(target, {
    get(_target, key) {
      if (typeof key === 'symbol' || refused.has(key)) return undefined
      return apiNode(path === '' ? key : `${path}.${key}`, call)
    },
    apply: (_target, _this, params: unknown[]) => call(path, params),
    has: () => false,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    setPrototypeOf: () => false,
    preventExtensions: () => false,
  })
}

/** What a promise or an object of the language would have: asking for it is a mistake of a program or of a tool. */
const refused: ReadonlySet<string> = new Set(['then', 'toJSON', 'prototype', ...Object.getOwnPropertyNames(Object.prototype)])

/** A function without a single property. */
function nothing(): object {
  const fn = () => {}
  for (const key of Reflect.ownKeys(fn)) Reflect.deleteProperty(fn, key)
  return Object.setPrototypeOf(fn, null)
}
