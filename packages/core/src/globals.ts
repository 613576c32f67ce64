import { types } from 'node:util'
import { ConfineError } from '@confine-sandbox/contract'

/** The globals of a sandbox, flattened: `{ console: { log } }` is `console.log`. */
export interface FlatGlobals {
  /** Dotted name → function of the host. What the guest may call, and nothing else. */
  readonly functions: Map<string, Function>
  /** Dotted name → the object that holds the function: its `this`. */
  readonly owners: ReadonlyMap<string, object>
  /** Dotted names and values of what is no function. They are copied into the guest. */
  readonly values: readonly (readonly [name: string, value: unknown])[]
}

/**
 * Flattens the `globals` option once. Own enumerable properties only: what a prototype has is nobody's global.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function flattenGlobals(globals: unknown): FlatGlobals {
  const functions = new Map<string, Function>()
  const owners = new Map<string, object>()
  const values: [string, unknown][] = []
  if (globals === undefined) return { functions, owners, values }
  if (!isGroup(globals)) throw badGlobal('globals', `is ${describe(globals)}; give an object of functions`)
  const walk = (group: object, path: string, depth: number) => {
    if (depth > maxDepth) throw badGlobal(path, `is nested deeper than ${maxDepth} levels, or holds itself`)
    const entries = Object.entries(group)
    if (entries.length === 0 && path !== '') values.push([path, {}])
    for (const [key, value] of entries) {
      const name = path === '' ? key : `${path}.${key}`
      if (key === '' || key === '__proto__' || key.includes('.')) throw badGlobal(name, 'cannot be a name')
      if (typeof value === 'function') {
        functions.set(name, value)
        owners.set(name, group)
      } else if (isGroup(value)) walk(value, name, depth + 1)
      else {
        const method = methodOfClass(value)
        if (method !== undefined) throw badGlobal(name, `is an object whose class has its methods. ${giveFunctions(key, method)}`)
        values.push([name, value])
      }
    }
  }
  walk(globals, '', 1)
  return { functions, owners, values }
}

const maxDepth = 16

/** Plain objects, and objects of classes such as `console`, group functions; other values are data. */
export function isGroup(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.values(value).some((item) => typeof item === 'function')
}

/** An object of a class that is no data. Its own fields (a password, a socket) would be copied, and nothing of what it is for. */
function methodOfClass(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || isData(value)) return undefined
  let prototype: object | null = Object.getPrototypeOf(value)
  // Where the chain ends is the Object of some realm.
  while (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    for (const [name, { value: member }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof member === 'function' && name !== 'constructor') return name
    }
    prototype = Object.getPrototypeOf(prototype)
  }
  return undefined
}

function giveFunctions(key: string, method: string): string {
  return `Give the guest the functions that it needs: { ${key}: { ${method}: (...params) => ${key}.${method}(...params) } }`
}

/** What is copied as what it is. */
function isData(value: object): boolean {
  const { isMap, isSet, isDate, isRegExp, isAnyArrayBuffer, isNativeError, isBoxedPrimitive } = types
  const kinds = [Array.isArray, ArrayBuffer.isView, isMap, isSet, isDate, isRegExp, isAnyArrayBuffer, isNativeError, isBoxedPrimitive]
  return kinds.some((is) => is(value))
}

function badGlobal(name: string, problem: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The global ${name} ${problem}`)
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
