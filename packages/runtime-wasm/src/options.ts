import { ConfineError, type RuntimeOptions } from '@confine-sandbox/contract'

/** What `new WasmConfineRuntime(options)` takes. */
export interface WasmOptions extends RuntimeOptions {
  /** The module: its bytes, or its bytes as base64 text. */
  source?: string | Uint8Array
  /**
   * What the module may import: `globals.host.add` is the function `add` of the module `host`, and functions that stand at
   * the top are those of the module `env`. Functions may be asynchronous; numbers and bigints are imported as globals.
   */
  globals?: Record<string, unknown>
  /** What the module's memories may hold together, MiB, 1 to 4096. Over it, `memory.grow` gives -1. @default 64 */
  memoryLimitMiB?: number
  /** WASI: the arguments of the program, its name first. @default ['main.wasm'] */
  args?: readonly string[]
  /** WASI: its environment. @default {} */
  env?: Readonly<Record<string, string>>
  /** WASI: what it reads from its standard input. @default nothing */
  stdin?: string | Uint8Array
  /** WASI: what it may write to its standard output and error together, MiB. Over it, writing fails. @default 16 */
  outputLimitMiB?: number
}

/** Options that were checked, with their defaults. */
export interface Program {
  readonly bytes: Uint8Array
  readonly globals: Record<string, unknown>
  readonly memoryLimitMiB: number
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stdin: Uint8Array
  readonly outputLimitBytes: number
}

/**
 * Checks the options and takes the program out of them.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING
 */
export function readProgram(options: WasmOptions): Program {
  const { source, globals = {}, memoryLimitMiB = 64, args = ['main.wasm'], env = {}, stdin = '', outputLimitMiB = 16 } = options
  if (typeof globals !== 'object' || globals === null) throw bad('globals', 'an object', globals)
  if (!isBetween(memoryLimitMiB, 1, 4096)) throw bad('memoryLimitMiB', 'a number from 1 to 4096', memoryLimitMiB)
  if (!isBetween(outputLimitMiB, 0, 4096)) throw bad('outputLimitMiB', 'a number from 0 to 4096', outputLimitMiB)
  if (!Array.isArray(args) || !args.every(isCText)) throw bad('args', 'a list of texts without NUL', args)
  if (typeof env !== 'object' || env === null || !Object.entries(env).every(([key, value]) => isCText(key) && isCText(value))) {
    throw bad('env', 'an object of texts without NUL', env)
  }
  if (typeof stdin !== 'string' && !ArrayBuffer.isView(stdin)) throw bad('stdin', 'text or bytes', stdin)
  if (source === undefined)
    throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give the bytes of a module as the option source.')
  return {
    bytes: sourceBytes(source),
    globals,
    memoryLimitMiB,
    args,
    env,
    stdin: typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin,
    outputLimitBytes: outputLimitMiB * 1024 * 1024,
  }
}

function sourceBytes(source: unknown): Uint8Array {
  if (typeof source === 'string') {
    const text = source.replaceAll(/\s/g, '')
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw bad('source', 'the bytes of a module, or these as base64', source)
    return Buffer.from(text, 'base64')
  }
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength)
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  throw bad('source', 'the bytes of a module, or these as base64', source)
}

/** What C can take for a text. */
function isCText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

function isBetween(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most
}

function bad(name: string, wanted: string, value: unknown): ConfineError {
  const is =
    typeof value === 'number' ? String(value) : value === null ? 'null' : Array.isArray(value) ? 'that list' : `that ${typeof value}`
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option ${name} must be ${wanted}, not ${is}.`)
}
