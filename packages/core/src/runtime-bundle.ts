import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { RuntimeDescriptor } from '@confine-sandbox/contract'
import { manifestPaths } from './manifest-paths.ts'
import { isWithin } from './package-closure.ts'
import type { CheckedManifest } from './runtime-manifest.ts'

/** The part of a descriptor that tells of a bundle. */
export type Bundle = Pick<RuntimeDescriptor, 'bundle' | 'bundleFiles' | 'bundleAddons'>

/**
 * Finds a package's bundle with the files and addons that it needs. The guest looks for none of them any more.
 * @param packageDirectory real path of the package.
 * @param directories those of the package and of what it depends on. An addon lies in one of them.
 * @returns nothing when there is none, or when an addon is not where the manifest says: it may have been compiled, or not be there at all. The
 *   package's main module looks for itself, or says what is missing.
 * @throws ERR_CONFINE_RUNTIME_INVALID when a file is not there, or lies elsewhere.
 */
export function findBundle(manifest: CheckedManifest, packageDirectory: string, directories: readonly string[]): Bundle {
  const { bundle, bundleFiles, bundleAddons } = manifest
  if (bundle === undefined) return {}
  const find = manifestPaths(packageDirectory, directories)
  const addons = Object.entries(bundleAddons ?? {}).map(([name, file]) => [name, findAddon(file, packageDirectory, directories)] as const)
  if (!addons.every(isFound)) return {}
  return {
    bundle: find('bundle', bundle),
    ...(bundleFiles === undefined ? {} : { bundleFiles: bundleFiles.map((file) => find('bundleFiles', file)) }),
    ...(bundleAddons === undefined ? {} : { bundleAddons: Object.fromEntries(addons) }),
  }
}

/** As `require()` in the package would find it, links followed. */
function findAddon(file: string, packageDirectory: string, directories: readonly string[]): string | undefined {
  try {
    const path = realpathSync(createRequire(join(packageDirectory, 'package.json')).resolve(forThisNode(file)))
    const owner = directories.find((directory) => isWithin(path, directory))
    return owner === undefined || hasCompiled(owner, path) ? undefined : path
  } catch {
    return undefined
  }
}

/** Whether a package has an addon that was compiled on this machine: where that was done, a prebuilt one may need a newer C library. */
function hasCompiled(directory: string, path: string): boolean {
  const build = join(directory, 'build')
  return !isWithin(path, build) && existsSync(build)
}

function forThisNode(file: string): string {
  return file.replaceAll(/\{(platform|arch|abi|libc)\}/g, (_all, what: keyof typeof facts) => facts[what]())
}

/** The guest is the same node as this process. */
const facts = {
  platform: () => process.platform,
  arch: () => process.arch,
  abi: () => process.versions.modules,
  // As those tell them apart who load prebuilt addons. Elsewhere than on Linux there is nothing to tell apart.
  libc: () => (existsSync('/etc/alpine-release') ? 'musl' : 'glibc'),
}

function isFound(entry: readonly [string, string | undefined]): entry is readonly [string, string] {
  return entry[1] !== undefined
}
