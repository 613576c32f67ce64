import { readFile } from 'node:fs/promises'
import { ConfineError } from '@confine-sandbox/contract'

/** Options of `execContainer`. All others go to the runtime. */
export interface SandboxExecContainerOpts {
  /** The program's text; wins over `sourcePath`. */
  source?: string | Uint8Array
  /** The program's file, read on the host; with `source`, its name in stacks. */
  sourcePath?: string
}

/** The program and the runtime's options, checked. */
export interface ExecProgram {
  readonly source: string | Uint8Array
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * Checks the options and reads the program.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_SOURCE_UNREADABLE
 */
export async function readProgram(opts: unknown): Promise<ExecProgram> {
  if (typeof opts !== 'object' || opts === null) throw bad('The options of execContainer must be an object')
  const { source, globals, ...options } = opts as Record<string, unknown>
  const { sourcePath } = options
  if (globals !== undefined) throw bad('execContainer takes no globals: give them to the Sandbox')
  if (sourcePath !== undefined && typeof sourcePath !== 'string') throw bad('The option sourcePath must be a string')
  if (source !== undefined && source !== null) {
    if (typeof source !== 'string' && !(source instanceof Uint8Array)) throw bad('The option source must be a string or a Uint8Array')
    return { source, options }
  }
  if (sourcePath === undefined) {
    throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is nothing to run: give execContainer a source or a sourcePath')
  }
  try {
    return { source: await readFile(sourcePath), options }
  } catch (error) {
    throw new ConfineError('ERR_CONFINE_SOURCE_UNREADABLE', `Cannot read the source ${sourcePath}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message)
}
