import { graphLimits, tooMuch } from './graph-limits.ts'

/** Where the modules of a program are looked for. */
export interface ModuleFiles {
  /**
   * The path, free of symbolic links, of a module that can be gathered; undefined for everything else, without saying
   * whether it exists.
   */
  find(path: string): string | undefined
  /** The text of a module that was found. @throws ERR_CONFINE_LIMIT, ERR_CONFINE_SOURCE_UNREADABLE */
  text(path: string): string
  /** The package.json of a directory; undefined when there is none in reach. */
  packageJson(directory: string): PackageManifest | undefined
  /** Whether a directory is within reach: the search for packages goes up no further. */
  reaches(directory: string): boolean
}

/** What matters of a package.json here. All of it is the program's word. */
export interface PackageManifest {
  readonly name?: unknown
  readonly type?: unknown
  readonly main?: unknown
  readonly exports?: unknown
  readonly imports?: unknown
}

/**
 * Reads each package.json once, within the bounds of one program, and keeps what matters of it.
 * @param read gives the text of a directory's package.json, undefined when there is none.
 * @throws ERR_CONFINE_LIMIT
 */
export function manifestReader(read: (directory: string) => string | undefined): ModuleFiles['packageJson'] {
  const known = new Map<string, PackageManifest | undefined>()
  let left = graphLimits.manifestsMiB * 1024 * 1024
  return (directory) => {
    if (known.has(directory)) return known.get(directory)
    const text = read(directory)
    // What is not there is not kept: a hostile text can ask for any number of names.
    if (text === undefined) return undefined
    left -= text.length
    if (text.length > graphLimits.manifestMiB * 1024 * 1024)
      throw tooMuch(`${directory}/package.json is larger than ${graphLimits.manifestMiB} MiB`)
    if (left < 0) throw tooMuch(`its package.json files are larger than ${graphLimits.manifestsMiB} MiB`)
    const manifest = parseManifest(text)
    known.set(directory, manifest)
    return manifest
  }
}

/** What is no object is none. */
function parseManifest(text: string): PackageManifest | undefined {
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
    const { name, type, main, exports, imports } = json as PackageManifest
    return { name, type, main, exports, imports }
  } catch {
    return undefined
  }
}

/** Whether a path has an ending of a module: nothing else is ever gathered by a program's wish. */
export function isModulePath(path: string): boolean {
  return /\.(?:[cm]?[jt]s|json)$/.test(path) && !/\.d\.[cm]?ts$/.test(path)
}
