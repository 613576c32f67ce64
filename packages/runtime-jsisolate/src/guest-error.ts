import { typeScriptHint } from './plain-text.ts'
import type { Thrown } from './inside/thrown.ts'

/** Makes an Error of what a program threw: its name, message, cause, code and own data, and the program's part of its stack. */
export function guestError(facts: Thrown): Error {
  const error = new (natives.get(facts.name) ?? Error)(facts.message)
  if (error.name !== facts.name) define(error, 'name', facts.name)
  define(error, 'stack', facts.stack === undefined ? `${facts.name}: ${facts.message}` : guestStack(facts.stack))
  if (facts.cause !== undefined) define(error, 'cause', nested(facts.cause))
  if (facts.errors !== undefined) define(error, 'errors', facts.errors.map(nested))
  for (const [key, value] of Object.entries(facts.fields)) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return error
}

/** Makes the same of an error that isolated-vm copied out by itself: all that it kept are name, message and stack. */
export function copiedError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return guestError({ name: 'Error', message: String(thrown), fields: {} })
  return guestError({ name: thrown.name, message: thrown.message, stack: thrown.stack ?? '', fields: {} })
}

/**
 * Makes the error of a program that cannot be compiled, with the line that is wrong.
 * @param textOf gives the text of a file.
 * @param isJavaScript says whether that is how it is to be read.
 */
export function compileError(thrown: unknown, textOf: (path: string) => string, isJavaScript: (path: string) => boolean): Error {
  const error = copiedError(thrown)
  // isolated-vm puts the place at the end of the message. A program can write what looks like one, of any size.
  const place = / \[(.*):(\d+):(\d+)\]$/.exec(error.message.slice(-longestPlace))
  if (place === null) return error
  const [all, path, line, column] = place as unknown as [string, string, string, string]
  const text = textOf(path)
  const hint = error.name === 'SyntaxError' && isJavaScript(path) ? typeScriptHint(text) : ''
  const message = error.message.slice(0, -all.length) + hint
  const source = text.split('\n')[Number(line) - 1] ?? ''
  const shown = source.length <= 200 ? `${source}\n${' '.repeat(Math.min(source.length, Math.max(0, Number(column) - 1)))}^\n\n` : ''
  return guestError({
    name: error.name,
    message,
    stack: `${path}:${line}\n${shown}${error.name}: ${message}\n    at ${path}:${line}:${column}`,
    fields: {},
  })
}

/** No path is longer than 4,096 bytes. */
const longestPlace = 4200

const natives = new Map([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [native.name, native]))

function nested(item: NonNullable<Thrown['cause']>): unknown {
  return 'thrown' in item ? guestError(item.thrown) : item.value
}

/** Leaves out the frames of the prelude, and what isolated-vm adds of the outside behind its boundary. */
function guestStack(stack: string): string {
  const lines: string[] = []
  for (const line of stack.split('\n')) {
    if (/^\s+at \(<isolated-vm boundary>\)$/.test(line)) break
    // An error of which no stack could be made inside has all its frames.
    if (!/^\s+at .*(<isolated-vm>|confine:|:-\d+\)?$)/.test(line)) lines.push(line)
  }
  return lines.join('\n')
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true })
}
