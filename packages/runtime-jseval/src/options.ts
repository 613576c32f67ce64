import { isAbsolute, posix } from 'node:path'
import { ConfineError, type RuntimeOptions } from '@confine-sandbox/contract'

/** What `new JsEvalConfineRuntime(options)` takes. */
export interface JsEvalOptions extends RuntimeOptions {
  /** The program: CommonJS, as text or as UTF-8 bytes. */
  source?: string | Uint8Array
  /** Absolute path that names the program in stacks and in `__filename`. It is not read. @default `sourcePath`, then '/guest/main.js' */
  path?: string
  /** The path that the source was read from; used when `path` is not given. */
  sourcePath?: string
  /** What `process.argv` holds after the program's path. @default nothing */
  argv?: readonly string[]
  /** What the program may call, nested; functions become asynchronous globals, other values are copied. */
  globals?: Record<string, unknown>
}

/** A program that is ready to be compiled. */
export interface Program {
  readonly text: string
  readonly path: string
  readonly argv: readonly string[]
}

/**
 * Checks the options and takes the program out of them.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING
 */
export function readProgram(options: JsEvalOptions): Program {
  const { source, globals, argv = [] } = options
  if (globals !== undefined && (typeof globals !== 'object' || globals === null)) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option globals must be an object, not ${typeName(globals)}.`)
  }
  if (source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give its text as the option source.')
  if (!Array.isArray(argv) || !argv.every((word) => typeof word === 'string')) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The option argv must be a list of strings.')
  }
  return { text: sourceText(source), path: programPath(options), argv }
}

function sourceText(source: unknown): string {
  if (typeof source === 'string') return source.startsWith('\uFEFF') ? source.slice(1) : source
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return new TextDecoder().decode(source as Uint8Array)
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option source must be a string or bytes, not ${typeName(source)}.`)
}

function programPath({ path, sourcePath }: JsEvalOptions): string {
  if (path !== undefined) {
    if (typeof path === 'string' && isAbsolute(path)) return path
    throw new ConfineError(
      'ERR_CONFINE_BAD_OPTION',
      `The option path must be an absolute path, not ${JSON.stringify(path) ?? typeName(path)}.`,
    )
  }
  if (typeof sourcePath !== 'string') return '/guest/main.js'
  return isAbsolute(sourcePath) ? sourcePath : posix.resolve('/guest', sourcePath)
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value
}
