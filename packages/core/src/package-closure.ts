import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { BootLink } from '@confine-sandbox/contract'

/** The directories that loading a package reads, and the symbolic links between them. */
export interface PackageClosure {
  /** Real paths, the package itself first; none lies within another. */
  readonly directories: readonly string[]
  readonly links: readonly BootLink[]
}

/** The part of a package.json that matters here. */
export interface PackageJson {
  readonly name?: unknown
  readonly main?: unknown
  readonly dependencies?: unknown
  readonly optionalDependencies?: unknown
  readonly peerDependencies?: unknown
  readonly confine?: unknown
}

/**
 * Finds a package's dependencies as Node would: in the node_modules directories above it, hoisted, nested or linked by
 * pnpm. What is not installed is left out; loading the runtime then says what is missing.
 */
export function packageClosure(directory: string): PackageClosure {
  const found = new Set<string>()
  const links = new Map<string, string>()
  const visit = (packageDirectory: string) => {
    if (found.has(packageDirectory)) return
    found.add(packageDirectory)
    for (const name of dependencyNames(readPackageJson(packageDirectory))) {
      const place = findDependency(packageDirectory, name)
      if (place === undefined) continue
      const target = realpathSync(place)
      if (target !== place) links.set(place, target)
      visit(target)
    }
  }
  visit(directory)
  const directories = withoutNested([...found])
  return {
    directories,
    // A link within a readable directory is there already.
    links: [...links].filter(([path]) => !directories.some((parent) => isWithin(path, parent))).map(([path, target]) => ({ path, target })),
  }
}

/** The package.json of a directory; an empty one when there is none that can be read. */
export function readPackageJson(directory: string): PackageJson {
  try {
    const json: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    return typeof json === 'object' && json !== null ? json : {}
  } catch {
    return {}
  }
}

/** Whether a path lies in a directory, or is it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)
}

function dependencyNames(json: PackageJson): string[] {
  return [json.dependencies, json.optionalDependencies, json.peerDependencies].flatMap((group) =>
    typeof group === 'object' && group !== null ? Object.keys(group).filter(isName) : [],
  )
}

/** Packages of types hold no code, and what is no name but a path could lead anywhere. */
function isName(name: string): boolean {
  return !name.startsWith('@types/') && /^(@[^/\\]+\/)?[^/\\.][^/\\]*$/.test(name)
}

function findDependency(from: string, name: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const place = join(directory, 'node_modules', name)
    if (isPackage(place)) return place
    if (dirname(directory) === directory) return undefined
  }
}

function isPackage(place: string): boolean {
  try {
    return realpathSync(join(place, 'package.json')) !== ''
  } catch {
    return false
  }
}

function withoutNested(directories: readonly string[]): string[] {
  return directories.filter((directory) => !directories.some((other) => other !== directory && isWithin(directory, other)))
}
