import { isAbsolute, posix } from 'node:path'
import { ConfineError, type RuntimeOptions } from '@confine-sandbox/contract'

/** What `new QuickJsConfineRuntime(options)` takes. */
export interface QuickJsOptions extends RuntimeOptions {
  /** The program, as text or as UTF-8 bytes. */
  source?: string | Uint8Array
  /** Absolute path that names the program in stacks. It is not read. @default `sourcePath`, then '/guest/main.js' */
  path?: string
  /** The path that the source was read from; used when `path` is not given. */
  sourcePath?: string
  /** How the program is written. @default 'esm' when the path ends in .mjs, else 'cjs' */
  module?: 'cjs' | 'esm'
  /** What the program may call, nested; functions become asynchronous globals, other values are copied. */
  globals?: Record<string, unknown>
  /** What the program may allocate, MiB, 1 to 1024. Over it, allocations throw. @default 64 */
  memoryLimitMiB?: number
  /**
   * How long the program may compute before it waits for something, milliseconds of CPU time: while it loads, and from a
   * call or an answer of the host until nothing is left to do. Over it, the container ends. @default 10,000
   */
  computeLimitMs?: number
  /** The time that the program's clock shows, for ever, milliseconds since 1970. @default the real time */
  now?: number
  /** Makes `Math.random` give the same numbers each time. @default it does not */
  seed?: number
}

/** Options that were checked, with their defaults. */
export interface Program {
  readonly text: string
  readonly path: string
  readonly module: 'cjs' | 'esm'
  readonly globals: Record<string, unknown>
  readonly memoryLimitMiB: number
  readonly computeLimitMs: number
  readonly now: number | undefined
  readonly seed: number | undefined
}

/**
 * Checks the options and takes the program out of them.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING
 */
export function readProgram(options: QuickJsOptions): Program {
  const { source, globals = {}, memoryLimitMiB = 64, computeLimitMs = 10_000, now, seed } = options
  if (typeof globals !== 'object' || globals === null) throw bad('globals', 'an object', globals)
  if (!isBetween(memoryLimitMiB, 1, 1024)) throw bad('memoryLimitMiB', 'a number from 1 to 1024', memoryLimitMiB)
  if (!isBetween(computeLimitMs, 1, 0x7fffffff)) throw bad('computeLimitMs', 'a positive number of milliseconds', computeLimitMs)
  if (now !== undefined && !isBetween(now, -8.64e15, 8.64e15)) throw bad('now', 'a time in milliseconds since 1970', now)
  if (seed !== undefined && !isBetween(seed, 0, 0xffffffff)) throw bad('seed', 'a number from 0 to 4294967295', seed)
  if (source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give its text as the option source.')
  const path = programPath(options)
  return { text: sourceText(source), path, module: programModule(options, path), globals, memoryLimitMiB, computeLimitMs, now, seed }
}

function sourceText(source: unknown): string {
  if (typeof source === 'string') return withoutHashbang(source.startsWith('\uFEFF') ? source.slice(1) : source)
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return withoutHashbang(new TextDecoder().decode(source as Uint8Array))
  throw bad('source', 'a string or bytes', source)
}

/** A program file of Unix may begin with one. As a comment it keeps its line. */
function withoutHashbang(text: string): string {
  return text.startsWith('#!') ? `//${text.slice(2)}` : text
}

function programModule({ module }: QuickJsOptions, path: string): 'cjs' | 'esm' {
  if (module === undefined) return path.endsWith('.mjs') ? 'esm' : 'cjs'
  if (module !== 'cjs' && module !== 'esm') throw bad('module', "'cjs' or 'esm'", module)
  return module
}

function programPath({ path, sourcePath }: QuickJsOptions): string {
  if (path !== undefined) {
    if (typeof path === 'string' && isAbsolute(path)) return path
    throw bad('path', 'an absolute path', path)
  }
  if (typeof sourcePath !== 'string') return '/guest/main.js'
  return isAbsolute(sourcePath) ? sourcePath : posix.resolve('/guest', sourcePath)
}

function isBetween(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most
}

function bad(name: string, wanted: string, value: unknown): ConfineError {
  const is = typeof value === 'number' || typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : typeof value
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option ${name} must be ${wanted}, not ${is}.`)
}
