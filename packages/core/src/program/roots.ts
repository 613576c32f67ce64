import { existsSync, realpathSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfineError } from '@confine-sandbox/contract'
import { isInReach } from './disk-files.ts'

/**
 * The directories, as real paths, that a program's modules may lie in: the ones given, else the tree of the package that
 * the program belongs to, else its own directory.
 * @param entry Real path of the program.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function programRoots(roots: unknown, entry: string): readonly string[] {
  if (roots === undefined) {
    const directory = packageDirectory(dirname(entry))
    return [directory !== undefined && isInReach(entry, [directory]) ? directory : dirname(entry)]
  }
  if (!Array.isArray(roots) || roots.length === 0) throw bad('The option roots must be a list of directories')
  return roots.map((root: unknown) => {
    if (typeof root !== 'string' && !(root instanceof URL)) throw bad('The option roots must be a list of paths or file: URLs')
    const path = root instanceof URL || root.startsWith('file:') ? fileURLToPath(root) : resolve(root)
    try {
      const real = realpathSync(path)
      if (statSync(real).isDirectory()) return real
    } catch (cause) {
      throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option roots names ${path}, which cannot be found`, { cause })
    }
    throw bad(`The option roots names ${path}, which is no directory`)
  })
}

function packageDirectory(from: string): string | undefined {
  // A stray package.json in one of these makes no package of all that lies below.
  const never = new Set([homedir(), tmpdir()].map(realOrSame))
  for (let directory = from; directory !== dirname(directory); directory = dirname(directory)) {
    if (!never.has(directory) && existsSync(join(directory, 'package.json'))) return directory
  }
  return undefined
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message)
}
