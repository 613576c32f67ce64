import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname, normalize } from 'node:path'
import { type CgroupPlace, cgroupPlaces } from './cgroup-places.ts'

/** A directory in which a cgroup can be made for a guest, by the launcher's word for what it limits. */
export interface CgroupParent {
  /** `memory` and `pids` are hierarchies of version 1; version 2 has one for both. */
  readonly kind: 'memory' | 'pids' | 'v2'
  readonly directory: string
}

/** What is asked of the machine to find them. */
export interface CgroupFiles {
  /** The text of a file, undefined when it cannot be read. */
  read(path: string): string | undefined
  isWritable(directory: string): boolean
  readonly isRoot: boolean
}

/**
 * Where this process may make cgroups that hold something. Version 1: below its own. Version 2: beside its own, as one with
 * processes can have none below it that limits; whatever is to be limited there must be switched on already, for that is the
 * business of whoever delegated it. cgroups(7)
 */
export function cgroupParents(files: CgroupFiles): readonly CgroupParent[] {
  const names = ['/proc/self/cgroup', '/proc/self/mountinfo']
  const places = cgroupPlaces(Object.fromEntries(names.map((name) => [name, files.read(name) ?? ''])))
  return places.flatMap((place): readonly CgroupParent[] => {
    const parent = place.version === 1 ? first(place) : second(place, files)
    return parent !== undefined && isPlain(parent.directory) && files.isWritable(parent.directory) ? [parent] : []
  })
}

/** As the launcher takes paths. */
function isPlain(directory: string): boolean {
  return directory !== '/' && directory.startsWith('/') && normalize(directory) === directory
}

function first({ controller, directory }: CgroupPlace): CgroupParent | undefined {
  return controller === 'memory' || controller === 'pids' ? { kind: controller, directory } : undefined
}

function second({ directory }: CgroupPlace, files: CgroupFiles): CgroupParent | undefined {
  // The one at the top may have both processes and cgroups; it alone has no type.
  const parent = files.read(`${directory}/cgroup.type`) === undefined ? directory : dirname(directory)
  if (files.isRoot && isOfSystemd(parent)) return undefined
  if (parent !== directory && limits.some((name) => isLimit(files.read(`${directory}/${name}`)))) return undefined
  const enabled = (files.read(`${parent}/cgroup.subtree_control`) ?? '').split(/\s+/)
  return enabled.includes('memory') || enabled.includes('pids') ? { kind: 'v2', directory: parent } : undefined
}

/** Whoever put this process under one of them meant its guests, too. To be beside it would be to get away from it. */
const limits: readonly string[] = ['memory.max', 'memory.high', 'memory.swap.max', 'cpu.max']

function isLimit(text: string | undefined): boolean {
  return text !== undefined && !text.startsWith('max')
}

/** To root everything is writable; a slice that nobody has delegated belongs to systemd alone. https://systemd.io/CGROUP_DELEGATION */
function isOfSystemd(directory: string): boolean {
  return directory.endsWith('.slice')
}

/** What has to be read to say where version 2 gives cgroups, of a process in this directory. */
export function filesAround(directory: string): readonly string[] {
  const parent = dirname(directory)
  return [...['cgroup.type', 'cgroup.subtree_control', ...limits].map((name) => `${directory}/${name}`), `${parent}/cgroup.subtree_control`]
}

/** This machine's. */
export const theseFiles: CgroupFiles = Object.freeze({
  read: (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
  isWritable: (directory: string) => {
    try {
      accessSync(directory, constants.W_OK | constants.X_OK)
      return true
    } catch {
      return false
    }
  },
  isRoot: process.geteuid?.() === 0,
})
