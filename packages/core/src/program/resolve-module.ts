import { isBuiltin } from 'node:module'
import { dirname, join, resolve as resolvePath } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfineError } from '@confine-sandbox/contract'
import type { ModuleFiles, PackageManifest } from './module-files.ts'
import { exportTargets, importTargets, longestPath } from './package-targets.ts'

/** How a module is asked for: by `import` or by `require`. */
export type RequestKind = 'import' | 'require'

/**
 * Finds the module that a name means, as Node does: relative paths, `#` names, packages with `exports` and conditions or
 * with `main`, the package's own name. Where Node asks an import for the whole file name, endings and directories are
 * tried all the same, as bundlers do, and `./x.js` may lie there as `./x.ts`.
 * @returns The module's path; undefined when there is none in reach.
 * @throws ERR_CONFINE_LIMIT
 */
export function resolveModule(
  files: ModuleFiles,
  kind: RequestKind,
  specifier: string,
  from: string,
  conditions: readonly string[],
): string | undefined {
  const holding = new Set([...conditions, kind])

  function find(name: string, importer: string): string | undefined {
    if (/^\.{0,2}\//.test(name) || name === '.' || name === '..') return fileOrDirectory(files, resolvePath(dirname(importer), name))
    if (name.startsWith('#')) return privateName(name, importer)
    const [, packageName, path] = /^((?:@[^/\\%]+\/)?[^./\\%@][^/\\%]*)(\/.*)?$/.exec(name) ?? []
    if (packageName === undefined) return undefined
    const own = nearest(files, dirname(importer))
    if (own?.manifest.name === packageName && hasExports(own.manifest)) return within(own.directory, own.manifest, path)
    for (let directory = dirname(importer); files.reaches(directory); directory = dirname(directory)) {
      const place = join(directory, 'node_modules', packageName)
      const manifest = files.packageJson(place)
      const found = within(place, manifest ?? {}, path)
      // Node looks no further once there is a package of that name.
      if (manifest !== undefined || found !== undefined) return found
      if (directory === dirname(directory)) return undefined
    }
    return undefined
  }

  function within(directory: string, manifest: PackageManifest, path: string | undefined): string | undefined {
    if (!hasExports(manifest))
      return path === undefined ? packageMain(files, directory, manifest) : fileOrDirectory(files, join(directory, path))
    for (const target of exportTargets(manifest.exports, path === undefined ? '.' : `.${path}`, holding)) {
      const found = isSafeTarget(target) ? files.find(join(directory, target)) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }

  function privateName(name: string, importer: string): string | undefined {
    const own = nearest(files, dirname(importer))
    if (own === undefined) return undefined
    for (const target of importTargets(own.manifest.imports, name, holding)) {
      const isPath = target.startsWith('.')
      if (isPath && !isSafeTarget(target)) continue
      // A name that leads to another such name would go round for ever.
      const found = isPath ? files.find(join(own.directory, target)) : target.startsWith('#') ? undefined : find(target, importer)
      if (found !== undefined) return found
    }
    return undefined
  }

  if (specifier.length > longestPath) return undefined
  const name = kind === 'import' ? pathOfUrl(specifier) : specifier
  return name === undefined || name.includes('\0') || isBuiltin(name) ? undefined : attempt(() => find(name, from))
}

/** The package that a directory belongs to: the nearest above it, in reach, that has a package.json. */
export function nearest(files: ModuleFiles, from: string): { directory: string; manifest: PackageManifest } | undefined {
  for (let directory = from; files.reaches(directory); directory = dirname(directory)) {
    const manifest = files.packageJson(directory)
    if (manifest !== undefined) return { directory, manifest }
    if (directory === dirname(directory) || directory.endsWith('/node_modules')) return undefined
  }
  return undefined
}

/** What an import names is a URL: escaped, perhaps with a query. */
function pathOfUrl(specifier: string): string | undefined {
  if (!/^(\.{0,2}\/|file:)/.test(specifier)) return specifier
  return attempt(() => {
    if (specifier.startsWith('file:')) return fileURLToPath(specifier)
    return decodeURIComponent(specifier.replace(/[?#].*$/, ''))
  })
}

function fileOrDirectory(files: ModuleFiles, path: string): string | undefined {
  return files.find(path) ?? typedTwin(files, path) ?? withEnding(files, path) ?? packageMain(files, path, files.packageJson(path) ?? {})
}

function packageMain(files: ModuleFiles, directory: string, { main }: PackageManifest): string | undefined {
  if (typeof main === 'string') {
    const path = join(directory, main)
    const found = files.find(path) ?? withEnding(files, path) ?? withEnding(files, join(path, 'index'))
    if (found !== undefined) return found
  }
  return withEnding(files, join(directory, 'index'))
}

function withEnding(files: ModuleFiles, path: string): string | undefined {
  for (const ending of ['.js', '.json', '.cjs', '.mjs', '.ts', '.cts', '.mts']) {
    const found = files.find(path + ending)
    if (found !== undefined) return found
  }
  return undefined
}

/** TypeScript programs name the files that a compiler would have made. */
function typedTwin(files: ModuleFiles, path: string): string | undefined {
  return /\.[cm]?js$/.test(path) ? files.find(path.replace(/js$/, 'ts')) : undefined
}

function hasExports({ exports }: PackageManifest): boolean {
  return exports !== undefined && exports !== null
}

/** Targets stay in their package; what they lead to is judged once more, as a file. */
function isSafeTarget(target: string): boolean {
  return target.startsWith('./') && !/(?:^|[\\/])(?:\.\.?|node_modules)(?:[\\/]|$)/i.test(target.slice(2))
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (ConfineError.is(error) && error.code === 'ERR_CONFINE_LIMIT') throw error
    // A manifest may be nonsense, or nested too deep to follow: then it leads nowhere.
    return undefined
  }
}
