import { types } from 'node:util'

/** Whether a value crosses as a stream: anything that can be iterated asynchronously, web streams and Node's among it. */
export function isStream(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function'
}

/** A socket is a stream, too, but far more than its bytes: nobody hands it over by accident. */
export function isRefusedStream(value: object): boolean {
  // Loaded for this alone: a guest does without it.
  return value instanceof process.getBuiltinModule('node:net').Socket
}

/** Plain in any realm: no prototype, or one that is a realm's Object.prototype. */
export function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
}

/** What is more than its own fields, and would arrive as an empty object. */
export function opaqueKind(value: object): string | undefined {
  if (types.isProxy(value)) return 'a Proxy'
  if (types.isPromise(value)) return 'a Promise'
  if (types.isWeakMap(value) || types.isWeakSet(value)) return 'a weak collection'
  if (types.isGeneratorObject(value)) return 'a generator'
  if (types.isModuleNamespaceObject(value)) return undefined
  if (types.isExternal(value)) return 'a native object'
  return undefined
}

/** How an error calls an object of some class. */
export function className(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? name : 'object of an unnamed class'
}

/** The class of a typed array, whatever it was told to be. */
export const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get as (
  this: ArrayBufferView,
) => string

/** Whether a text takes one byte for each character. */
export function isLatin1(text: string): boolean {
  if (text.length >= 24) return latin1.test(text)
  let all = 0
  for (let i = 0; i < text.length; i++) all |= text.charCodeAt(i)
  return all <= 0xff
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of Latin-1
const latin1 = /^[\u0000-\u00ff]*$/

/** What an error has beside its name, message and stack. */
export function errorFields(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = { __proto__: null }
  if (Object.hasOwn(error, 'cause')) fields.cause = error.cause
  if (Object.hasOwn(error, 'errors')) fields.errors = (error as AggregateError).errors
  for (const key of Object.keys(error)) {
    if (!ownErrorFields.has(key)) fields[key] = (error as unknown as Record<string, unknown>)[key]
  }
  return fields
}

const ownErrorFields = new Set(['name', 'message', 'stack', 'cause', 'errors'])
