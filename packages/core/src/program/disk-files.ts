import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ConfineError } from '@confine-sandbox/contract'
import { graphLimits } from './graph-limits.ts'
import { isModulePath, manifestReader, type ModuleFiles } from './module-files.ts'

/**
 * The modules below some directories. A program decides which of them are read, so symbolic links are resolved before
 * a path is judged, and what is hidden (`.env`, `.git`, …) or has no ending of a module is not in reach.
 * @param roots Real paths of directories.
 */
export function diskFiles(roots: readonly string[]): ModuleFiles {
  // What is not there is not kept: a hostile text can ask for any number of names.
  const found = new Map<string, string>()

  function find(path: string): string | undefined {
    const known = found.get(path)
    if (known !== undefined) return known
    const real = realFile(path)
    if (real === undefined || !isModulePath(real) || !isInReach(real, roots)) return undefined
    found.set(path, real)
    return real
  }

  return {
    find,
    text: (path) => readWithin(path, roots),
    reaches: (directory) => isInReach(directory, roots),
    packageJson: manifestReader((directory) => {
      const path = find(join(directory, 'package.json'))
      return path === undefined ? undefined : readWithin(path, roots)
    }),
  }
}

/** Reads the file at a real path. @throws ERR_CONFINE_LIMIT, ERR_CONFINE_SOURCE_UNREADABLE */
function readWithin(path: string, roots: readonly string[]): string {
  let descriptor: number | undefined
  try {
    // Whoever can write below a root may have changed the path since it was judged: a pipe must not block, and what
    // was opened is judged again.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const facts = fstatSync(descriptor)
    if (!facts.isFile() || !isInReach(openedPath(descriptor, path), roots)) throw new Error('it is no file in reach any more')
    if (facts.size > graphLimits.moduleMiB * 1024 * 1024) {
      throw new ConfineError('ERR_CONFINE_LIMIT', `Cannot gather ${path}: it is larger than ${graphLimits.moduleMiB} MiB`)
    }
    return readFileSync(descriptor, 'utf8')
  } catch (error) {
    if (ConfineError.is(error)) throw error
    throw new ConfineError('ERR_CONFINE_SOURCE_UNREADABLE', `Cannot read the module ${path}: ${(error as Error).message}`, { cause: error })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function openedPath(descriptor: number, path: string): string {
  if (process.platform !== 'linux') return realpathSync(path)
  return readlinkSync(`/proc/self/fd/${descriptor}`)
}

/** Whether a real path lies below one of the roots, not too deep, and nothing hidden is on the way to it. */
export function isInReach(real: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const way = relative(root, real)
    if (way === '') return true
    const parts = way.split(sep)
    return parts[0] !== '..' && parts.length <= graphLimits.depth && !parts.some((part) => part.startsWith('.') && part !== '.pnpm')
  })
}

function realFile(path: string): string | undefined {
  try {
    // By the kernel: the other one asks for each directory on the way.
    const real = realpathSync.native(path)
    return statSync(real).isFile() ? real : undefined
  } catch {
    return undefined
  }
}
