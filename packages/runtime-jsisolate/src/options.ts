import { isAbsolute, posix } from 'node:path'
import { ConfineError, type ModuleGraph, type RuntimeOptions } from '@confine-sandbox/contract'
import { isModuleText, withImportCalls } from './import-calls.ts'
import type { ModuleSource } from './linked-modules.ts'
import { plainText } from './plain-text.ts'

/** What `new JsIsolateConfineRuntime(options)` takes. */
export interface JsIsolateOptions extends RuntimeOptions {
  /** The program, as text or as UTF-8 bytes. */
  source?: string | Uint8Array
  /** Absolute path that names the program, and from which relative modules are found. @default that in `graph`, `sourcePath`, then '/guest/main.js' */
  path?: string
  /** The path that the source was read from; used when `path` is not given. */
  sourcePath?: string
  /** The modules that the program can load; a sandbox gathers them. Without it, used alone, they are files. */
  graph?: ModuleGraph
  /** How the program is written. @default what `graph` says, else the ending of the path, else 'esm' for a text with `import` or `export` */
  module?: 'cjs' | 'esm'
  /** 'ts' for TypeScript: its types are left out. @default what `graph` says, else 'ts' for .ts, .mts and .cts */
  language?: 'js' | 'ts'
  /** Which globals it finds: the language's and a few of the web's, or Node's without the system. @default 'vanilla' */
  env?: 'vanilla' | 'nodejs'
  /** What the program may call, nested; functions become asynchronous globals, other values are copied. */
  globals?: Record<string, unknown>
  /** Memory of the isolate in MiB, at least 8. A guideline to V8: a hostile program can use two or three times as much. @default 128 */
  memoryLimitMiB?: number
  readonly cjs?: {
    /** Modules by name: the absolute path of a file to read, or the text of the module. */
    readonly requires?: Readonly<Record<string, string | { readonly source: string }>>
  }
  readonly esm?: {
    /** Refuse every import. @default false */
    readonly disableImports?: boolean
  }
}

/** What an isolate gets unless the options say otherwise. */
export const defaultMemoryLimitMiB = 128

/** Options that were checked, with their defaults. */
export interface Program {
  /** The text as it was given. */
  readonly text: string
  readonly language: 'js' | 'ts'
  /** The text ready to be compiled. @throws SyntaxError for TypeScript that is none. */
  main(): ModuleSource
  readonly path: string
  readonly graph: ModuleGraph | undefined
  readonly module: 'cjs' | 'esm'
  readonly env: 'vanilla' | 'nodejs'
  readonly globals: Record<string, unknown>
  readonly memoryLimitMiB: number
  readonly requires: ReadonlyMap<string, string | { readonly source: string }>
  readonly disableImports: boolean
}

/**
 * Checks the options and takes the program out of them.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING
 */
export function readProgram(options: JsIsolateOptions): Program {
  refuseOtherNames(options)
  const { source, globals = {}, memoryLimitMiB = defaultMemoryLimitMiB, env = 'vanilla', cjs = {}, esm = {} } = options
  if (typeof globals !== 'object' || globals === null) throw bad('globals', 'an object', globals)
  if (typeof memoryLimitMiB !== 'number' || !(memoryLimitMiB >= 8)) throw bad('memoryLimitMiB', 'a number of at least 8', memoryLimitMiB)
  if (env !== 'vanilla' && env !== 'nodejs') throw bad('env', "'vanilla' or 'nodejs'", env)
  if (typeof cjs !== 'object' || cjs === null) throw bad('cjs', 'an object', cjs)
  if (typeof esm !== 'object' || esm === null) throw bad('esm', 'an object', esm)
  if (source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give its text as the option source.')
  const path = programPath(options)
  const text = sourceText(source)
  const language = programLanguage(options, path)
  let main: ModuleSource | undefined
  return {
    text,
    language,
    path,
    graph: options.graph,
    main: () => (main ??= { path, ...withImportCalls(plainText(text, language, path)) }),
    module: programModule(options, path, text),
    env,
    globals,
    memoryLimitMiB,
    requires: overrides(cjs.requires ?? {}),
    disableImports: esm.disableImports === true,
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

function programPath({ path, graph, sourcePath }: JsIsolateOptions): string {
  if (path !== undefined) {
    if (typeof path === 'string' && isAbsolute(path)) return path
    throw bad('path', 'an absolute path', path)
  }
  if (graph !== undefined) return graph.entry
  if (typeof sourcePath !== 'string') return '/guest/main.js'
  return isAbsolute(sourcePath) ? sourcePath : posix.resolve('/guest', sourcePath)
}

function programModule({ module, graph }: JsIsolateOptions, path: string, text: string): 'cjs' | 'esm' {
  if (module === 'cjs' || module === 'esm') return module
  if (module !== undefined) throw bad('module', "'cjs' or 'esm'", module)
  const format = graph?.modules.get(graph.entry)?.format
  if (format !== undefined) return format === 'module' ? 'esm' : 'cjs'
  if (/\.m[jt]s$/.test(path)) return 'esm'
  return /\.c[jt]s$/.test(path) || !isModuleText(text) ? 'cjs' : 'esm'
}

function programLanguage({ language, graph }: JsIsolateOptions, path: string): 'js' | 'ts' {
  if (language === 'js' || language === 'ts') return language
  if (language !== undefined) throw bad('language', "'js' or 'ts'", language)
  return graph?.modules.get(graph.entry)?.language ?? (/\.[cm]?ts$/.test(path) ? 'ts' : 'js')
}

function overrides(requires: object): Program['requires'] {
  const entries = Object.entries(requires) as [string, unknown][]
  for (const [name, value] of entries) {
    const isPath = typeof value === 'string' && isAbsolute(value)
    if (!isPath && typeof (value as { source?: unknown } | null)?.source !== 'string') {
      throw bad(`cjs.requires[${JSON.stringify(name)}]`, 'an absolute path or { source }', value)
    }
  }
  return new Map(entries as [string, string | { source: string }][])
}

function bad(option: string, wanted: string, value: unknown): ConfineError {
  const isShown = value === null || typeof value === 'string' || typeof value === 'number'
  const given = isShown ? (JSON.stringify(value) ?? String(value)) : typeof value
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option ${option} must be ${wanted}, not ${given}.`)
}
