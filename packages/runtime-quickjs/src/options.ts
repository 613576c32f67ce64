import { isAbsolute, posix } from 'node:path'
import { ConfineError, type ModuleGraph, type RuntimeOptions } from '@confine-sandbox/contract'
import { plainText } from './plain-text.ts'

/** What `new QuickJsConfineRuntime(options)` takes. */
export interface QuickJsOptions extends RuntimeOptions {
  /** The program, as text or as UTF-8 bytes. */
  source?: string | Uint8Array
  /** Absolute path that names the program in stacks. It is not read. @default that in `graph`, `sourcePath`, then '/guest/main.js' */
  path?: string
  /** The path that the source was read from; used when `path` is not given. */
  sourcePath?: string
  /** The modules that the program can load; a sandbox gathers them. */
  graph?: ModuleGraph
  /** How the program is written. @default what `graph` says, else 'esm' when the path ends in .mjs or .mts, else 'cjs' */
  module?: 'cjs' | 'esm'
  /** 'ts' for TypeScript: its types are left out. @default what `graph` says, else 'ts' for .ts, .mts and .cts */
  language?: 'js' | 'ts'
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
  /** The text, as JavaScript. @throws SyntaxError for TypeScript that is none. */
  main(): string
  readonly path: string
  readonly graph: ModuleGraph | undefined
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
  refuseOtherNames(options)
  const { source, globals = {}, memoryLimitMiB = 64, computeLimitMs = 10_000, now, seed } = options
  if (typeof globals !== 'object' || globals === null) throw bad('globals', 'an object', globals)
  if (!isBetween(memoryLimitMiB, 1, 1024)) throw bad('memoryLimitMiB', 'a number from 1 to 1024', memoryLimitMiB)
  if (!isBetween(computeLimitMs, 1, 0x7fffffff)) throw bad('computeLimitMs', 'a positive number of milliseconds', computeLimitMs)
  if (now !== undefined && !isBetween(now, -8.64e15, 8.64e15)) throw bad('now', 'a time in milliseconds since 1970', now)
  if (seed !== undefined && !isBetween(seed, 0, 0xffffffff)) throw bad('seed', 'a number from 0 to 4294967295', seed)
  if (source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give its text as the option source.')
  const path = programPath(options)
  const text = sourceText(source)
  const language = programLanguage(options, path)
  return {
    main: () => plainText(text, language, path),
    path,
    graph: options.graph,
    module: programModule(options, path),
    globals,
    memoryLimitMiB,
    computeLimitMs,
    now,
    seed,
  }
}

/** Refuses names that others have for what would then not hold. */
function refuseOtherNames(options: object): void {
  for (const [name, own] of Object.entries(otherNames)) {
    if (Object.hasOwn(options, name))
      throw new ConfineError('ERR_CONFINE_BAD_OPTION', `There is no option ${name}: it is called ${own} here.`)
  }
}

const otherNames = { timeout: 'timeoutMs', memoryLimit: 'memoryLimitMiB', memoryLimitMb: 'memoryLimitMiB', memoryLimitMB: 'memoryLimitMiB' }

function sourceText(source: unknown): string {
  if (typeof source === 'string') return source.startsWith('\uFEFF') ? source.slice(1) : source
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return new TextDecoder().decode(source as Uint8Array)
  throw bad('source', 'a string or bytes', source)
}

function programModule({ module, graph }: QuickJsOptions, path: string): 'cjs' | 'esm' {
  if (module === 'cjs' || module === 'esm') return module
  if (module !== undefined) throw bad('module', "'cjs' or 'esm'", module)
  const format = graph?.modules.get(graph.entry)?.format
  return (format === undefined ? /\.m[jt]s$/.test(path) : format === 'module') ? 'esm' : 'cjs'
}

function programLanguage({ language, graph }: QuickJsOptions, path: string): 'js' | 'ts' {
  if (language === 'js' || language === 'ts') return language
  if (language !== undefined) throw bad('language', "'js' or 'ts'", language)
  return graph?.modules.get(graph.entry)?.language ?? (/\.[cm]?ts$/.test(path) ? 'ts' : 'js')
}

function programPath({ path, graph, sourcePath }: QuickJsOptions): string {
  if (path !== undefined) {
    if (typeof path === 'string' && isAbsolute(path)) return path
    throw bad('path', 'an absolute path', path)
  }
  if (graph !== undefined) return graph.entry
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
