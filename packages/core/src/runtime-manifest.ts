import { ConfineError, defaultRuntimeManifest, type RuntimeManifest } from '@confine-sandbox/contract'
import type { PackageJson } from './package-closure.ts'

/** What a package says of its runtime, with the defaults. */
export type CheckedManifest = typeof defaultRuntimeManifest & Omit<RuntimeManifest, keyof typeof defaultRuntimeManifest>

/**
 * Reads the field `confine` of a package.
 * @param entry of whose package it is, for errors.
 * @throws ERR_CONFINE_RUNTIME_INVALID
 */
export function checkManifest({ confine }: PackageJson, entry: string): CheckedManifest {
  if (confine === undefined) return defaultRuntimeManifest
  const wrong = (member: string, wanted: string) =>
    new ConfineError('ERR_CONFINE_RUNTIME_INVALID', `The confine field of the package of ${entry} is wrong: ${member} must be ${wanted}`)
  if (typeof confine !== 'object' || confine === null) throw wrong('it', 'an object')
  const { nodeFlags, maxContainers, threads, stopsContainers, directories, ...others } = {
    ...defaultRuntimeManifest,
    ...(confine as RuntimeManifest),
  }
  const { leastThreads, containerMiB, warmUp, modules, bundle, bundleFiles, bundleAddons } = others
  if (!isStrings(nodeFlags)) throw wrong('nodeFlags', 'a list of strings')
  if (!Number.isSafeInteger(maxContainers) || maxContainers < 1) throw wrong('maxContainers', 'a positive whole number')
  if (typeof threads !== 'boolean') throw wrong('threads', 'true or false')
  if (leastThreads !== undefined && (!Number.isSafeInteger(leastThreads) || leastThreads < 1))
    throw wrong('leastThreads', 'a positive whole number')
  if (typeof stopsContainers !== 'boolean') throw wrong('stopsContainers', 'true or false')
  if (containerMiB !== undefined && !(typeof containerMiB === 'number' && containerMiB > 0))
    throw wrong('containerMiB', 'a positive number')
  if (!isStrings(directories)) throw wrong('directories', 'a list of paths')
  if (warmUp !== undefined && typeof warmUp !== 'string') throw wrong('warmUp', 'a path')
  if (bundle !== undefined && (typeof bundle !== 'string' || warmUp !== undefined || directories.length > 0)) {
    throw wrong('bundle', 'a path, without warmUp and directories')
  }
  if (bundleFiles !== undefined && (!isStrings(bundleFiles) || bundle === undefined))
    throw wrong('bundleFiles', 'a list of paths, with bundle')
  if (bundleAddons !== undefined && (!isRecordOfStrings(bundleAddons) || bundle === undefined)) {
    throw wrong('bundleAddons', 'an object of paths by name, with bundle')
  }
  if (modules !== undefined && !isModules(modules)) throw wrong('modules', "{ form: 'graph', conditions: a list of strings, or none }")
  return {
    nodeFlags,
    maxContainers,
    threads,
    stopsContainers,
    directories,
    ...(leastThreads === undefined ? {} : { leastThreads }),
    ...(containerMiB === undefined ? {} : { containerMiB }),
    ...(warmUp === undefined ? {} : { warmUp }),
    ...(bundle === undefined ? {} : { bundle }),
    ...(bundleFiles === undefined ? {} : { bundleFiles }),
    ...(bundleAddons === undefined ? {} : { bundleAddons }),
    ...(modules === undefined ? {} : { modules }),
  }
}

function isModules(value: unknown): value is NonNullable<RuntimeManifest['modules']> {
  if (typeof value !== 'object' || value === null) return false
  const { form, conditions = [] } = value as { form?: unknown; conditions?: unknown }
  return form === 'graph' && isStrings(conditions)
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isRecordOfStrings(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isStrings(Object.values(value))
}
