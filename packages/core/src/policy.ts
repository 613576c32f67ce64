import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfineError, type RuntimeDescriptor } from '@confine-sandbox/contract'
import { guestEntry, guestProgram } from '@confine-sandbox/guest'
import { show } from './show.ts'

/** What the guest may do beyond computing and calling the host's functions. Nothing of it unless it is asked for. */
export interface PolicyOptions {
  /**
   * Files and directories that the guest can read, at the paths that they have on the host. Absolute, or relative to the
   * working directory; they must exist. Symbolic links are followed now, once. @default []
   */
  read?: readonly string[] | undefined
  /**
   * The same, to be read and written. A path within another one decides about what is below it. Do not name a directory with
   * code that is run outside of the sandbox, and follow no path that leads through it without a look. @default []
   */
  write?: readonly string[] | undefined
  /** Size of an empty directory /tmp of the guest's own, in memory and gone with the guest, MiB; 0: there is none. @default 0 */
  scratchMiB?: number | undefined
  /** No memory that can be executed beyond what node is made of: no JIT compiler, no WebAssembly. Much slower. @default false */
  hardened?: boolean | undefined
}

/** The same with every path real, and nothing left open. */
export type CheckedPolicy = Required<{ readonly [Key in keyof PolicyOptions]: NonNullable<PolicyOptions[Key]> }>

/**
 * Checks `policy` and finds out what its paths are.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkPolicy(policy: unknown, runtime: RuntimeDescriptor): CheckedPolicy {
  if (policy === undefined) return nothing
  if (typeof policy !== 'object' || policy === null) throw bad('The option policy must be an object such as { read: [path] }')
  const unknown = Object.keys(policy).find((name) => !Object.hasOwn(nothing, name))
  if (unknown !== undefined) throw bad(`There is no option policy.${unknown}; there are ${policyNames.join(', ')}`)
  const { read = [], write = [], scratchMiB = 0, hardened = false } = policy as PolicyOptions
  if (typeof hardened !== 'boolean') throw bad(`The option policy.hardened must be true or false; it is ${show(hardened)}`)
  if (!Number.isSafeInteger(scratchMiB) || scratchMiB < 0 || scratchMiB > maxScratchMiB) {
    throw bad(`The option policy.scratchMiB must be a whole number from 0 to ${maxScratchMiB}; it is ${show(scratchMiB)}`)
  }
  const paths = { read: realPaths('read', read), write: realPaths('write', write) }
  if (paths.read.length + paths.write.length > maxPaths) {
    throw bad(`The option policy may name up to ${maxPaths} paths. Name a directory above some of them`)
  }
  refuseConflicts(paths, scratchMiB, runtime)
  return { ...withoutRepetition(paths), scratchMiB, hardened }
}

const nothing: CheckedPolicy = Object.freeze({ read: Object.freeze([]), write: Object.freeze([]), scratchMiB: 0, hardened: false })

/** Every part of a policy. */
export const policyNames: readonly string[] = Object.keys(nothing)

/** Each one takes the launcher a mount. */
const maxPaths = 64
const maxScratchMiB = 65_536

/** Where guests have their scratch space. */
const scratchDirectory = '/tmp'

/** The kernel's own directories: to read is to learn about every process, to write is to give orders. */
const kernelDirectories = ['/proc', '/sys', '/dev']

type Paths = { readonly read: readonly string[]; readonly write: readonly string[] }

function realPaths(list: keyof Paths, paths: unknown): readonly string[] {
  if (!Array.isArray(paths)) throw bad(`The option policy.${list} must be a list of paths; it is ${typeof paths}`)
  return [...new Set(paths.map((path) => realPath(list, path)))]
}

function realPath(list: keyof Paths, path: unknown): string {
  const cannot = (why: string, cause?: unknown) => bad(`Cannot let the guest ${list} ${show(path)} (policy.${list}): ${why}`, cause)
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw cannot('it is no path')
  const { real, stats } = look(resolve(path), cannot)
  if (real === '/') throw cannot('that is every file of this machine. Name the directories that it needs')
  const kernels = kernelDirectories.find((directory) => isWithin(real, directory))
  if (kernels !== undefined) throw cannot(`what is in ${kernels} are no files but the kernel itself`)
  if (!stats.isDirectory() && !stats.isFile()) throw cannot('it is neither a file nor a directory')
  return real
}

function look(path: string, cannot: (why: string, cause: unknown) => ConfineError) {
  try {
    const real = realpathSync.native(path)
    return { real, stats: statSync(real) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw cannot(code === 'ENOENT' ? 'there is nothing of that name. Make it before the sandbox' : message, error)
  }
}

function refuseConflicts({ read, write }: Paths, scratchMiB: number, runtime: RuntimeDescriptor): void {
  const both = write.find((path) => read.includes(path))
  if (both !== undefined)
    throw bad(`${both} stands in policy.read and in policy.write. What can be written can be read: leave it in policy.write`)
  if (scratchMiB > 0 && [...read, ...write].includes(scratchDirectory)) {
    throw bad(
      `${scratchDirectory} stands in policy, and with policy.scratchMiB the guest has a ${scratchDirectory} of its own. Leave one of them out`,
    )
  }
  for (const path of write) {
    const needed = bootPaths(runtime).find((boot) => isWithin(boot, path))
    if (needed === undefined) continue
    throw bad(
      `Cannot let the guest write ${path} (policy.write): every guest boots from ${needed}. Name a directory that is for data alone`,
    )
  }
}

function bootPaths({
  entry,
  directories,
  links,
  warmUp,
  bundle,
  bundleFiles = [],
  bundleAddons = {},
}: RuntimeDescriptor): readonly string[] {
  const linked = links.map(({ path }) => path)
  return [
    realpathSync(process.execPath),
    guestEntry,
    guestProgram,
    entry,
    ...directories,
    ...linked,
    ...[warmUp, bundle].filter((path) => path !== undefined),
    ...bundleFiles,
    ...Object.values(bundleAddons),
  ]
}

/** Leaves out what the path around it allows already. */
function withoutRepetition({ read, write }: Paths): Paths {
  const around = (path: string) =>
    [...read, ...write].filter((other) => other !== path && isWithin(path, other)).reduce((a, b) => (b.length > a.length ? b : a), '')
  return {
    read: read.filter((path) => !read.includes(around(path))).sort(),
    write: write.filter((path) => !write.includes(around(path))).sort(),
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function bad(message: string, cause?: unknown): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message, cause === undefined ? {} : { cause })
}
