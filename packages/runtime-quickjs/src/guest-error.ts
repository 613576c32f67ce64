import type { Thrown } from './inside/thrown.ts'
import { preludePath } from './inside/index.ts'

/** Makes an Error of what a program threw. The facts are the program's word: they were decoded, so they are data of any shape. */
export function guestError(facts: unknown, depth = 0): Error {
  const { name, message, stack, code, cause, fields } = (typeof facts === 'object' && facts !== null ? facts : {}) as Partial<Thrown>
  const text = typeof message === 'string' ? message : ''
  const error = new (natives.get(String(name)) ?? Error)(text)
  if (typeof name === 'string' && error.name !== name) define(error, 'name', name)
  define(error, 'stack', [`${error.name}: ${text}`, ...frames(stack)].join('\n'))
  if (cause !== undefined && depth < maxDepth) define(error, 'cause', guestError(cause, depth + 1))
  for (const [key, value] of Object.entries(fields ?? {})) {
    if (!own.has(key)) Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
  }
  if (typeof code === 'string' || typeof code === 'number') Object.assign(error, { code })
  return error
}

const natives = new Map([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [native.name, native]))
const own = new Set(['name', 'message', 'stack', 'cause', 'code'])
const maxDepth = 4
const maxFrames = 20

/** The program's frames: above the prelude, which calls by Reflect.apply. */
function frames(stack: unknown): string[] {
  if (typeof stack !== 'string') return []
  const lines = stack.split('\n').filter((line) => /^ +at /.test(line))
  const ours = lines.findIndex((line) => line.includes(preludePath))
  const its = ours === -1 ? lines : lines.slice(0, ours)
  if (ours > 0 && /^ +at apply \(native\)$/.test(its.at(-1) ?? '')) its.pop()
  return its.slice(0, maxFrames)
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true })
}
