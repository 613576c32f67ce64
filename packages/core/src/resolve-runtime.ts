import { existsSync, realpathSync, statSync } from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import { dirname, isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfineError, type RuntimeDescriptor } from '@confine-sandbox/contract'
import { manifestPaths } from './manifest-paths.ts'
import { packageClosure, readPackageJson } from './package-closure.ts'
import { findBundle } from './runtime-bundle.ts'
import { checkManifest } from './runtime-manifest.ts'
import { show } from './show.ts'

/**
 * Finds a runtime and reads what its package.json says of it. Its code is not loaded: that happens in the guest.
 * @param name A package name, a path (absolute, or relative and starting with a dot) or a `file:` URL.
 * @param from Where to look from: a file's URL or path, or several, the first that has it wins. @default the working directory
 * @throws ERR_CONFINE_RUNTIME_NOT_FOUND, ERR_CONFINE_BAD_OPTION, ERR_CONFINE_RUNTIME_INVALID for a wrong `confine` field.
 */
export function resolveRuntime(name: string | URL, from: string | URL | readonly (string | URL)[] = workingDirectory()): RuntimeDescriptor {
  const wanted = name instanceof URL || (typeof name === 'string' && name.startsWith('file:')) ? urlPath(name) : name
  if (typeof wanted !== 'string' || wanted === '') {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The runtime must be a package name, a path or a file: URL')
  }
  const places = (Array.isArray(from) ? from : [from]).map(placePath)
  const entry = findEntry(wanted, places)
  const packageDirectory = findPackageDirectory(entry)
  const json = packageDirectory === undefined ? {} : readPackageJson(packageDirectory)
  const manifest = checkManifest(json, entry)
  const { directories, links } =
    packageDirectory === undefined ? { directories: [dirname(entry)], links: [] } : packageClosure(packageDirectory)
  const find = manifestPaths(packageDirectory ?? dirname(entry), directories)
  return {
    name: wanted,
    entry,
    directories: [...directories, ...manifest.directories.map((path) => find('directories', path))],
    links,
    nodeFlags: manifest.nodeFlags,
    maxContainers: manifest.maxContainers,
    threads: manifest.threads,
    stopsContainers: manifest.stopsContainers,
    ...(manifest.leastThreads === undefined ? {} : { leastThreads: manifest.leastThreads }),
    ...(manifest.containerMiB === undefined ? {} : { containerMiB: manifest.containerMiB }),
    ...(manifest.modules === undefined ? {} : { modules: manifest.modules }),
    ...(manifest.warmUp === undefined ? {} : { warmUp: find('warmUp', manifest.warmUp) }),
    // It stands for the main module and no other of the package.
    ...(packageDirectory === undefined || !isMain(json, packageDirectory, entry)
      ? {}
      : findBundle(manifest, packageDirectory, directories)),
  }
}

/** Where to look from: a path, or a URL of one. */
function placePath(place: unknown): string {
  if (typeof place === 'string' && isAbsolute(place) && !place.includes('\0')) return place
  try {
    return fileURLToPath(place as string | URL)
  } catch (cause) {
    throw new ConfineError(
      'ERR_CONFINE_BAD_OPTION',
      `A runtime is looked for from an absolute path or a file: URL; this is ${show(place)}`,
      {
        cause,
      },
    )
  }
}

function workingDirectory(): URL {
  return pathToFileURL(`${process.cwd()}/`)
}

function urlPath(url: string | URL): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The runtime ${String(url)} is no file: URL of this machine`, { cause: error })
  }
}

function findEntry(name: string, places: readonly string[]): string {
  let cause: unknown
  for (const place of places) {
    try {
      return realpathSync(createRequire(place).resolve(name))
    } catch (error) {
      cause ??= error
      const entry = importEntry(name, place)
      if (entry !== undefined) return entry
    }
  }
  const isPath = isAbsolute(name) || name.startsWith('.')
  const remedy = isPath ? 'Give the path of a file that exists.' : `Run npm i ${name}`
  throw new ConfineError(
    'ERR_CONFINE_RUNTIME_NOT_FOUND',
    `Cannot find the runtime ${name}: it is not in ${places.map((place) => dirname(`${place}x`)).join(' or ')}. ${remedy}`,
    { cause },
  )
}

/** A package that can only be imported has no entry for require(); its `import` or `default` condition names one. */
function importEntry(name: string, place: string): string | undefined {
  const file = tryFindPackageJson(name, place)
  if (file === undefined) return undefined
  const { exports, main } = readPackageJson(dirname(file)) as { exports?: unknown; main?: unknown }
  const target = conditionTarget(typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports) ?? main
  const entry = typeof target === 'string' ? resolve(dirname(file), target) : undefined
  return entry !== undefined && existsSync(entry) && statSync(entry).isFile() ? realpathSync(entry) : undefined
}

function conditionTarget(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null) return undefined
  const { node, import: imported, default: fallback } = target as Record<string, unknown>
  return conditionTarget(node) ?? conditionTarget(imported) ?? conditionTarget(fallback)
}

function findPackageDirectory(entry: string): string | undefined {
  const file = tryFindPackageJson('.', entry)
  return file === undefined ? undefined : dirname(file)
}

function tryFindPackageJson(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(from))
  } catch {
    return undefined
  }
}

function isMain({ main }: { readonly main?: unknown }, directory: string, entry: string): boolean {
  return typeof main === 'string' && resolve(directory, main) === entry
}
