import { readFile } from 'node:fs/promises'
import { ConfineError, type GatheredModules, type ModuleGraph } from '@confine-sandbox/contract'
import { type Abortable, abortError, checkSignal } from './abort.ts'
import { nearestName } from './nearest-name.ts'
import { gatherProgram, type ModuleOptions } from './program/gather-program.ts'
import { show } from './show.ts'
import { checkTimeout } from './timeouts.ts'

/** Options of `execContainer`. All others go to the runtime. */
export interface SandboxExecContainerOpts extends Abortable, ModuleOptions {
  /** The program's text; wins over `sourcePath`. */
  source?: string | Uint8Array
  /** The program's file, read on the host; with `source`, its name in stacks. */
  sourcePath?: string
  /** How long the program may take to load, from when it was sent, milliseconds; then its container is ended. @default loadTimeoutMs of the sandbox */
  timeoutMs?: number
  /** How long the container may live without a call of the host's under way, milliseconds. @default idleTimeoutMs of the sandbox */
  idleTimeoutMs?: number
  /** Options of the runtime. */
  [option: string]: unknown
}

/** The program and the runtime's options, checked. */
export interface ExecProgram {
  /** The text; absent when it is in the graph. */
  readonly source?: string | Uint8Array
  /** The program with its modules, for a runtime that wants them. */
  readonly graph?: ModuleGraph
  readonly options: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal | undefined
  readonly loadTimeoutMs: number
  readonly idleTimeoutMs: number
}

/**
 * Checks the options, reads the program and gathers its modules.
 * @param wish How the runtime wants the modules; absent when it takes a source and nothing else.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_SOURCE_UNREADABLE, ERR_CONFINE_LIMIT
 */
export async function readProgram(
  opts: unknown,
  defaults: { loadTimeoutMs: number; idleTimeoutMs: number },
  wish?: GatheredModules,
): Promise<ExecProgram> {
  if (typeof opts !== 'object' || opts === null) throw bad('The options of execContainer must be an object')
  const { source: given, globals, signal, timeoutMs, idleTimeoutMs, graph: notTheirs, ...options } = opts as Record<string, unknown>
  const common = {
    options,
    signal: checkSignal(signal),
    loadTimeoutMs: checkTimeout('timeoutMs', timeoutMs ?? defaults.loadTimeoutMs),
    idleTimeoutMs: checkTimeout('idleTimeoutMs', idleTimeoutMs ?? defaults.idleTimeoutMs),
  }
  const { sourcePath } = options
  if (globals !== undefined) throw bad('execContainer takes no globals: give them to the Sandbox')
  if (notTheirs !== undefined) throw bad('execContainer takes no graph: give it a sourcePath or files')
  if (sourcePath !== undefined && typeof sourcePath !== 'string') throw bad('The option sourcePath must be a string')
  const source = given ?? undefined
  if (source !== undefined && typeof source !== 'string' && !(source instanceof Uint8Array)) {
    throw bad('The option source must be a string or a Uint8Array')
  }
  if (wish !== undefined) {
    const gathered = await gatherProgram(options, source, wish, common.signal)
    if (gathered.graph !== undefined) return { ...common, ...gathered }
    if (source !== undefined) return { source, ...common, ...gathered }
  }
  if (source !== undefined) return { source, ...common }
  if (sourcePath === undefined) {
    const near = Object.keys(opts).find(
      (name) => nearestName(name, ['source', 'sourcePath']) !== undefined && opts[name as never] !== undefined,
    )
    const given = near === undefined ? '' : `, not ${show(near)}`
    throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', `There is nothing to run: give execContainer a source or a sourcePath${given}`)
  }
  return { source: await readSource(sourcePath, common.signal), ...common }
}

async function readSource(sourcePath: string, signal: AbortSignal | undefined): Promise<Buffer> {
  try {
    return await readFile(sourcePath, { signal })
  } catch (error) {
    if (signal?.aborted) throw abortError(signal)
    throw new ConfineError('ERR_CONFINE_SOURCE_UNREADABLE', `Cannot read the source ${sourcePath}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message)
}
