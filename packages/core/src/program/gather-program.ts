import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfineError, type GatheredModules, type ModuleGraph } from '@confine-sandbox/contract'
import { diskFiles, isInReach } from './disk-files.ts'
import { gather } from './gather.ts'
import { graphLimits } from './graph-limits.ts'
import { programRoots } from './roots.ts'
import { VirtualFiles, virtualRoot } from './virtual-files.ts'

/** Options of `execContainer` that say what else a program may load. For runtimes that take modules: ours do. */
export interface ModuleOptions {
  /**
   * The directories that modules are read from, on the host. The program decides by its imports which of their files are
   * read, so give none that hold secrets. Only files that end as modules do are read, and nothing hidden.
   * A `source` without a path is taken for a file of the first one.
   * @default for a `sourcePath`, the tree of its package: the nearest directory above it with a package.json, else its own
   */
  roots?: readonly (string | URL)[]
  /** Files that exist nowhere: relative path → text. The program is one of them, or `source`. */
  files?: Readonly<Record<string, string | Uint8Array>> | ReadonlyMap<string, string | Uint8Array>
  /** Which of the `files` is the program. @default index or main, or the only one */
  entry?: string
  /** Names to gather beside those that stand in the texts, as the program would import them: for names that are computed. */
  include?: readonly string[]
  /** Conditions by which the `exports` of packages are chosen, beside 'import', 'require' and 'default'. @default what the runtime says */
  conditions?: readonly string[]
  /** How the program is written, when that does not follow from its path. @default 'ts' for .ts, .mts and .cts, else 'js' */
  language?: 'js' | 'ts'
}

/**
 * Gathers the modules of a program: of `files`, or of the disk for a `sourcePath`. A text that was given as `source` may
 * come from anywhere: for it the disk is read only when `roots` say where.
 * @returns no graph when there is nothing to gather from, and the options that are the runtime's.
 */
export async function gatherProgram(
  { roots, files, entry, include, conditions, ...options }: Record<string, unknown>,
  source: string | Uint8Array | undefined,
  wish: GatheredModules,
  signal?: AbortSignal,
): Promise<{ graph?: ModuleGraph; options: Record<string, unknown> }> {
  const { sourcePath } = options
  const language = languageOf(options.language)
  if (entry !== undefined && (typeof entry !== 'string' || files === undefined)) throw bad('The option entry must name one of the files')
  const common = {
    signal,
    language,
    include: names('include', include) ?? [],
    conditions: names('conditions', conditions) ?? wish.conditions ?? ['node'],
  } as const
  const text = source instanceof Uint8Array ? new TextDecoder().decode(source) : source
  if (files !== undefined) {
    if (sourcePath !== undefined || roots !== undefined) throw bad('The option files goes without sourcePath and roots')
    const virtual = new VirtualFiles(files)
    const path = virtualEntry(virtual, entry, text !== undefined)
    return { graph: await gather({ ...common, files: virtual, entry: path, text, others: virtual.paths }), options }
  }
  if (roots === undefined ? typeof sourcePath !== 'string' || text !== undefined : typeof sourcePath !== 'string' && text === undefined) {
    if (roots !== undefined) throw bad('The option roots goes with a source or a sourcePath')
    return { options }
  }
  // A text without a path is a file of the first root's.
  const [first] = typeof sourcePath === 'string' ? [] : programRoots(roots, '')
  const path = first === undefined ? await realSource(sourcePath as string, text !== undefined) : join(first, `main.${language ?? 'js'}`)
  const directories = programRoots(roots, path)
  if (!isInReach(path, directories)) throw bad(`The program ${path} lies in none of the roots`)
  const graph = await gather({ ...common, files: diskFiles(directories), entry: path, text: text ?? (await readSource(path)) })
  return { graph, options: { ...options, sourcePath: path } }
}

function virtualEntry(files: VirtualFiles, entry: string | undefined, isGiven: boolean): string {
  const paths = new Set(files.paths)
  if (entry !== undefined) {
    const path = `${virtualRoot}/${entry.replace(/^\.\//, '')}`
    if (isGiven ? files.accepts(entry) : paths.has(path)) return path
    throw bad(`The option entry names ${JSON.stringify(entry)}, which is not among the files`)
  }
  if (isGiven) return `${virtualRoot}/main.js`
  const usual = ['index', 'main'].flatMap((name) => ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts'].map((end) => `${virtualRoot}/${name}.${end}`))
  const found = usual.find((path) => paths.has(path)) ?? (paths.size === 1 ? [...paths][0] : undefined)
  if (found === undefined) throw bad('Which of the files is the program? Name it by the option entry')
  return found
}

/** The path without symbolic links; of a text that was given, the file need not exist. */
async function realSource(sourcePath: string, isGiven: boolean): Promise<string> {
  try {
    const path = await realpath(sourcePath)
    const facts = await stat(path)
    if (!facts.isFile()) throw new Error('it is no file')
    if (facts.size > graphLimits.totalMiB * 1024 * 1024) {
      throw new ConfineError('ERR_CONFINE_LIMIT', `The source ${path} is larger than ${graphLimits.totalMiB} MiB`)
    }
    return path
  } catch (error) {
    if (ConfineError.is(error)) throw error
    if (!isGiven) throw unreadable(sourcePath, error)
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const directory = isMissing ? await realpath(dirname(sourcePath)).catch(() => undefined) : undefined
    if (directory !== undefined) return join(directory, basename(sourcePath))
    throw bad(`The option sourcePath must name a file, or one that could be made, when there are roots: ${(error as Error).message}`)
  }
}

async function readSource(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function languageOf(value: unknown): 'js' | 'ts' | undefined {
  if (value === undefined || value === 'js' || value === 'ts') return value
  throw bad("The option language must be 'js' or 'ts'")
}

function names(option: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw bad(`The option ${option} must be a list of strings`)
}

function unreadable(path: string, cause: unknown): ConfineError {
  return new ConfineError('ERR_CONFINE_SOURCE_UNREADABLE', `Cannot read the source ${path}: ${(cause as Error).message}`, { cause })
}

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message)
}
