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

/** Reads a package.json; what is no object is none. */
export function parseManifest(text: string): PackageManifest | undefined {
  try {
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : undefined
  } catch {
    return undefined
  }
}

/** Whether a path has an ending of a module: nothing else is ever gathered by a program's wish. */
export function isModulePath(path: string): boolean {
  return /\.(?:[cm]?[jt]s|json)$/.test(path) && !/\.d\.[cm]?ts$/.test(path)
}
