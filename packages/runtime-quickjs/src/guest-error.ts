import type { Thrown } from './inside/thrown.ts'
import { typeScriptHint } from './plain-text.ts'
import { preludePath } from './inside/index.ts'

/** The file of a program: its text, and how many columns stand before it on its first line. */
export interface SourceFile {
  readonly text: string
  readonly headLength: number
  readonly isJavaScript: boolean
}

/**
 * Makes an Error of what a program threw. The facts are the program's word: they were decoded, so they are data of any shape.
 * @param fileAt The program's file of a path.
 */
export function guestError(facts: unknown, fileAt: (path: string) => SourceFile | undefined, depth = 0): Error {
  const { name, message, stack, code, cause, fields } = (typeof facts === 'object' && facts !== null ? facts : {}) as Partial<Thrown>
  const text = typeof message === 'string' ? message : ''
  const error = new (natives.get(String(name)) ?? Error)(text)
  if (typeof name === 'string' && error.name !== name) define(error, 'name', name)
  const placed = frames(stack).map((line) => placedFrame(line, fileAt))
  const { shown, hint } = error.name === 'SyntaxError' ? wrongPlace(placed[0], fileAt) : { shown: '', hint: '' }
  if (hint !== '') define(error, 'message', text + hint)
  define(error, 'stack', [`${shown}${error.name}: ${text}${hint}`, ...placed].join('\n'))
  if (cause !== undefined && depth < maxDepth) define(error, 'cause', guestError(cause, fileAt, depth + 1))
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

/** Columns of a first line are counted from where the program's text begins. */
function placedFrame(line: string, fileAt: (path: string) => SourceFile | undefined): string {
  const place = /^( +at (?:.* \()?)(\/.*):1:(\d+)(\)?)$/.exec(line)
  if (place === null) return line
  const [, before, path, column, after] = place as unknown as [string, string, string, string, string]
  const headLength = fileAt(path)?.headLength ?? 0
  return Number(column) > headLength ? `${before}${path}:1:${Number(column) - headLength}${after}` : line
}

/** The line that could not be read, as Node shows it. What the engine says of it has no name of a function. */
function wrongPlace(frame: string | undefined, fileAt: (path: string) => SourceFile | undefined): { shown: string; hint: string } {
  const [, path = '', line, column] = /^ +at (\/.*):(\d+):(\d+)$/.exec(frame ?? '') ?? []
  const file = fileAt(path)
  if (file === undefined) return { shown: '', hint: '' }
  const source = file.text.split('\n')[Number(line) - 1]?.replace(/\r$/, '') ?? ''
  const arrow = `${source}\n${' '.repeat(Math.min(source.length, Number(column) - 1))}^\n\n`
  return { shown: `${path}:${line}\n${source.length > maxShown ? '' : arrow}`, hint: file.isJavaScript ? typeScriptHint(file.text) : '' }
}

const maxShown = 200

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true })
}
