import { ConfineError } from '@confine-sandbox/contract'
import type { GlobalShape, HostError } from './inside/host-calls.ts'

/** What a program may call: a shape to send into the isolate, and the functions that it numbers. */
export interface HostGlobals {
  readonly shape: GlobalShape & { kind: 'object' }
  readonly functions: readonly ((...args: unknown[]) => unknown)[]
}

/** Numbers the functions of nested globals. @throws ERR_CONFINE_BAD_OPTION when they contain themselves. */
export function hostGlobals(globals: object): HostGlobals {
  const functions: ((...args: unknown[]) => unknown)[] = []

  function shapeOf(value: unknown, name: string, parents: readonly object[]): GlobalShape {
    if (typeof value === 'function') return { kind: 'function', index: functions.push(value as (...args: unknown[]) => unknown) - 1 }
    if (Object.prototype.toString.call(value) !== '[object Object]') return { kind: 'value', value }
    if (parents.includes(value as object))
      throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option globals contains itself at ${name}.`)
    return objectShape(value as object, name, parents)
  }

  function objectShape(object: object, name: string, parents: readonly object[]): GlobalShape & { kind: 'object' } {
    const children = Object.entries(object).map(
      ([key, value]) => [key, shapeOf(value, name === '' ? key : `${name}.${key}`, [...parents, object])] as const,
    )
    return { kind: 'object', children }
  }

  return { shape: objectShape(globals, '', []), functions }
}

/** What a program is told of an error: its name, message and code, and no more. */
export function told(thrown: unknown): HostError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) }
  const code: unknown = Reflect.get(thrown, 'code')
  const isCode = typeof code === 'string' || typeof code === 'number'
  return { name: String(thrown.name), message: String(thrown.message), ...(isCode && { code }) }
}
