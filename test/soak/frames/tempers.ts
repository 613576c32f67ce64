import { Readable } from 'node:stream'
import type { RemoteStream } from '../../../packages/contract/src/index.ts'

// Functions of every temper, which the frames of an enemy call.

/** Answers as the name of the method says. */
export function answer(method: string, params: unknown[]): unknown {
  switch (method) {
    case 'give':
      return [() => params, Readable.from([1, 2, 3])]
    case 'take':
      void use(params)
      return params
    case 'iterate':
      void use(params[0])
      return undefined
    case 'echo':
      return params
    case 'wait':
      return new Promise(() => {})
    case 'fail':
      return Promise.reject(params[0])
    case 'odd':
      return Object.defineProperty({}, 'then', {
        get: () => {
          throw params[0]
        },
      })
    default:
      throw new RangeError(method)
  }
}

/** The names that it knows. */
export const tempers: readonly string[] = ['give', 'take', 'iterate', 'echo', 'wait', 'fail', 'odd']

/** A program that calls and iterates what it is given. Each part once: what shares its parts may be endless when it is followed. */
export async function use(value: unknown, seen: Set<unknown> = new Set<unknown>()): Promise<void> {
  if (((typeof value !== 'object' || value === null) && typeof value !== 'function') || seen.has(value)) return
  seen.add(value)
  if (typeof value === 'function') void value(1, () => {})
  else if (value instanceof Map) await use([...value.keys(), ...value.values()], seen)
  else if (Array.isArray(value)) for (const item of value) await use(item, seen)
  else if (Symbol.asyncIterator in value) {
    const items = value as RemoteStream
    for (let i = 0; i < 20; i++) void items.next().catch(() => {})
    if (Object.is(await items.next().catch(() => 0), 0)) await items.return()
  } else if ('deep' in value) await use(value.deep, seen)
}

/** A long stream. */
export async function* many(): AsyncGenerator<string> {
  for (let i = 0; i < 1000; i++) yield 'x'.repeat(500)
}
