import { malformed } from './byte-reader.ts'
import { calledByLanguage, errorNames } from './wire.ts'

/** A view of a whole buffer. @throws ERR_CONFINE_PROTOCOL */
export function viewOf(kind: string, bytes: Uint8Array<ArrayBuffer>): ArrayBufferView {
  if (kind === 'Uint8Array') return bytes
  const View = (globalThis as unknown as Record<string, ViewConstructor | undefined>)[kind]
  if (View === undefined) throw malformed(`this Node has no ${kind}`)
  if (bytes.length % (View.BYTES_PER_ELEMENT ?? 1) !== 0) throw malformed(`a ${kind} with a fraction of an element`)
  return new View(bytes.buffer)
}

interface ViewConstructor {
  readonly BYTES_PER_ELEMENT?: number
  new (buffer: ArrayBuffer): ArrayBufferView
}

/** Defines a plain own property, whatever its name: `__proto__` is a key like any other. */
export function setField(target: object, key: string, value: unknown): void {
  if (typeof value === 'function' && calledByLanguage.has(key)) throw malformed(`a function as ${key}`)
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    ;(target as Record<string, unknown>)[key] = value
  }
}

/** Defines an own property that is not enumerated. */
export function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: false, configurable: true, writable: true })
}

/** An error of a class that the language knows, without a stack: this side's says nothing about it. */
export function newError(name: string, message: string): Error {
  // The stack of the decoder says nothing about the error, and taking it costs more than the rest.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    if (name === 'AggregateError') return new AggregateError([], message)
    const constructors = globalThis as unknown as Record<string, new (message: string) => Error>
    const Class = errorNames.has(name) ? constructors[name] : undefined
    return Class === undefined ? new Error(message) : new Class(message)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
