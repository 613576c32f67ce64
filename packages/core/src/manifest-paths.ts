import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfineError } from '@confine-sandbox/contract'
import { isWithin } from './package-closure.ts'

/**
 * Finds what a manifest names. It is made readable for guests, so it has to be the package's own, or of a package that it depends on: a
 * runtime, which runs in guests only, must not choose what it sees of the host.
 * @param directories real paths of those packages.
 * @returns what finds the real path of a member's path. @throws ERR_CONFINE_RUNTIME_INVALID
 */
export function manifestPaths(packageDirectory: string, directories: readonly string[]): (member: string, path: string) => string {
  return (member, path) => {
    const wrong = (what: string, options?: ErrorOptions) =>
      new ConfineError(
        'ERR_CONFINE_RUNTIME_INVALID',
        `The confine field of the package ${packageDirectory} names ${path} as ${member}, ${what}`,
        options,
      )
    let found: string
    try {
      found = realpathSync(resolve(packageDirectory, path))
    } catch (cause) {
      throw wrong('which cannot be found', { cause })
    }
    if (!directories.some((directory) => isWithin(found, directory))) {
      throw wrong('which lies neither in it nor in a package that it depends on')
    }
    return found
  }
}
