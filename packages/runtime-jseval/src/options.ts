import { isAbsolute, posix } from 'node:path'
import { ConfineError, type ModuleGraph, type RuntimeOptions } from '@confine-sandbox/contract'

/** What `new JsEvalConfineRuntime(options)` takes. */
export interface JsEvalOptions extends RuntimeOptions {
  /** The program, as text or as UTF-8 bytes. */
  source?: string | Uint8Array
  /** Absolute path that names the program in stacks and in `__filename`. It is not read. @default that in `graph`, `sourcePath`, then '/guest/main.js' */
  path?: string
  /** The path that the source was read from; used when `path` is not given. */
  sourcePath?: string
  /** What `process.argv` holds after the program's path. @default nothing */
  argv?: readonly string[]
  /** The modules that the program can load, beside Node's own; a sandbox gathers them. */
  graph?: ModuleGraph
  /** How the program is written. @default what `graph` says, else the ending of the path, else 'esm' for a text that is no CommonJS */
  module?: 'cjs' | 'esm'
  /** 'ts' for TypeScript: its types are left out. @default what `graph` says, else 'ts' for .ts, .mts and .cts */
  language?: 'js' | 'ts'
  /** What the program may call, nested; functions become asynchronous globals, other values are copied. */
  globals?: Record<string, unknown>
}

/** A program that is ready to be compiled. */
export interface Program {
  readonly text: string
  readonly path: string
  readonly argv: readonly string[]
  readonly graph: ModuleGraph | undefined
  readonly language: 'js' | 'ts'
  /** Undefined: as its text shows. */
  readonly format: 'commonjs' | 'module' | undefined
}

/**
 * Checks the options and takes the program out of them.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING
 */
export function readProgram(options: JsEvalOptions): Program {
  refuseOtherNames(options)
  const { source, globals, argv = [] } = options
  if (globals !== undefined && (typeof globals !== 'object' || globals === null)) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option globals must be an object, not ${typeName(globals)}.`)
  }
  if (source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give its text as the option source.')
  if (!Array.isArray(argv) || !argv.every((word) => typeof word === 'string')) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The option argv must be a list of strings.')
  }
  const path = programPath(options)
  return {
    text: sourceText(source),
    path,
    argv,
    graph: options.graph,
    language: programLanguage(options, path),
    format: programFormat(options, path),
  }
}

/** Refuses names that others have for what would then not hold. */
function refuseOtherNames(options: object): void {
  for (const [name, instead] of Object.entries(otherNames)) {
    if (Object.hasOwn(options, name)) throw new ConfineError('ERR_CONFINE_BAD_OPTION', `There is no option ${name} here: use ${instead}.`)
  }
}

const limitOfProcess = 'limits: { memoryMiB } of the sandbox, as a program has the process for itself'
const otherNames = { timeout: 'timeoutMs', memoryLimit: limitOfProcess, memoryLimitMiB: limitOfProcess }

function sourceText(source: unknown): string {
  if (typeof source === 'string') return source.startsWith('\uFEFF') ? source.slice(1) : source
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return new TextDecoder().decode(source as Uint8Array)
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option source must be a string or bytes, not ${typeName(source)}.`)
}

function programPath({ path, graph, sourcePath }: JsEvalOptions): string {
  if (path !== undefined) {
    if (typeof path === 'string' && isAbsolute(path)) return path
    throw new ConfineError(
      'ERR_CONFINE_BAD_OPTION',
      `The option path must be an absolute path, not ${JSON.stringify(path) ?? typeName(path)}.`,
    )
  }
  if (graph !== undefined) return graph.entry
  if (typeof sourcePath !== 'string') return '/guest/main.js'
  return isAbsolute(sourcePath) ? sourcePath : posix.resolve('/guest', sourcePath)
}

function programFormat({ module, graph }: JsEvalOptions, path: string): Program['format'] {
  if (module !== undefined && module !== 'cjs' && module !== 'esm') {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option module must be 'cjs' or 'esm', not ${String(module)}.`)
  }
  if (module !== undefined) return module === 'esm' ? 'module' : 'commonjs'
  const format = graph?.modules.get(graph.entry)?.format
  if (format !== undefined) return format === 'module' ? 'module' : 'commonjs'
  if (/\.m[jt]s$/.test(path)) return 'module'
  return /\.c[jt]s$/.test(path) ? 'commonjs' : undefined
}

function programLanguage({ language, graph }: JsEvalOptions, path: string): 'js' | 'ts' {
  if (language !== undefined && language !== 'js' && language !== 'ts') {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option language must be 'js' or 'ts', not ${String(language)}.`)
  }
  return language ?? graph?.modules.get(graph.entry)?.language ?? (/\.[cm]?ts$/.test(path) ? 'ts' : 'js')
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value
}
