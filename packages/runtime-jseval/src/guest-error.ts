/**
 * Makes an Error of whatever guest code threw: its name, message, cause, code and own data, and the lines of its stack
 * that lie in the guest's program. Never throws.
 */
export function guestError(thrown: unknown, isGuestFile: IsGuestFile, depth = 0): Error {
  const facts = read(thrown)
  const error = new (natives.get(facts.name) ?? Error)(facts.message)
  if (error.name !== facts.name) define(error, 'name', facts.name)
  define(error, 'stack', facts.stack === undefined ? `${facts.name}: ${facts.message}` : guestStack(facts.stack, isGuestFile))
  if ('cause' in facts) define(error, 'cause', nested(facts.cause, isGuestFile, depth))
  if (facts.errors !== undefined)
    define(
      error,
      'errors',
      facts.errors.map((inner) => nested(inner, isGuestFile, depth)),
    )
  for (const [key, value] of facts.fields) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return error
}

interface Facts {
  name: string
  message: string
  stack?: string
  cause?: unknown
  errors?: unknown[]
  fields: [string, unknown][]
}

const maxText = 65_536
const maxFields = 64
const maxErrors = 64
const maxDepth = 8
const natives = new Map([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [native.name, native]))
const ownNames = new Set(['name', 'message', 'stack', 'cause', 'errors'])

function read(thrown: unknown): Facts {
  if (typeof thrown === 'string') return { name: 'Error', message: text(thrown), fields: [['thrown', text(thrown)]] }
  if ((typeof thrown !== 'object' && typeof thrown !== 'function') || thrown === null) {
    const isData = typeof thrown !== 'symbol'
    return { name: 'Error', message: `The program threw ${String(thrown)}`, fields: isData ? [['thrown', thrown]] : [] }
  }
  const name = get(thrown, 'name')
  const message = get(thrown, 'message')
  const stack = get(thrown, 'stack')
  const errors = get(thrown, 'errors')
  const facts: Facts = {
    name: typeof name === 'string' && name !== '' && typeof thrown !== 'function' ? text(name) : 'Error',
    message:
      typeof message === 'string'
        ? text(message)
        : `The program threw ${typeof thrown === 'function' ? 'a function' : 'an object that is no Error'}`,
    fields: dataFields(thrown),
  }
  if (typeof stack === 'string') facts.stack = text(stack)
  if (owns(thrown, 'cause')) facts.cause = get(thrown, 'cause')
  if (Array.isArray(errors) && owns(thrown, 'errors')) facts.errors = errors.slice(0, maxErrors)
  return facts
}

function dataFields(thrown: object): [string, unknown][] {
  const fields: [string, unknown][] = []
  // Node's and the web's own errors keep their code on the prototype.
  const code = get(thrown, 'code')
  if (typeof code === 'string' || typeof code === 'number') fields.push(['code', code])
  try {
    for (const key of Object.keys(thrown)) {
      if (fields.length >= maxFields) break
      if (ownNames.has(key) || key === 'code') continue
      const descriptor = Object.getOwnPropertyDescriptor(thrown, key)
      if (descriptor === undefined || !('value' in descriptor)) continue
      if (typeof descriptor.value !== 'function' && typeof descriptor.value !== 'symbol') fields.push([key, descriptor.value])
    }
  } catch {
    // A proxy that throws has no fields.
  }
  return fields
}

function nested(value: unknown, isGuestFile: IsGuestFile, depth: number): unknown {
  if (typeof value !== 'object' || value === null || typeof get(value, 'message') !== 'string') return value
  return depth < maxDepth ? guestError(value, isGuestFile, depth + 1) : undefined
}

/** Keeps the message and those frames that name no file, or the program's. */
function guestStack(stack: string, isGuestFile: IsGuestFile): string {
  return stack
    .split('\n')
    .filter((line) => !/^\s+at /.test(line) || isGuestFrame(line, isGuestFile))
    .join('\n')
}

function isGuestFrame(line: string, isGuestFile: IsGuestFile): boolean {
  const location = /\((.*)\)$/.exec(line)?.[1] ?? line.replace(/^\s+at (async )?/, '')
  // Code that was evaluated names the files around it.
  const names = [location, ...location.split(/[\s(),]/)].map((place) => place.replace(/(?::\d+){1,2}$/, ''))
  return names.some(isGuestFile) || !names.slice(1).some(isOutside)
}

/** Whether a file is one of the program's. */
export type IsGuestFile = (name: string) => boolean

/** Whether a file is of the process, not of a program that named it. */
export function isOutside(file: string): boolean {
  return /^(file:|node:|confine:|[\\/]|[A-Za-z]:\\)/.test(file)
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true })
}

function get(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key)
  } catch {
    return undefined
  }
}

function owns(object: object, key: string): boolean {
  try {
    return Object.hasOwn(object, key)
  } catch {
    return false
  }
}

function text(value: string): string {
  return value.length <= maxText ? value : `${value.slice(0, maxText)}…`
}
