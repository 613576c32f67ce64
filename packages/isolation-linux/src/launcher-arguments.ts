import type { Command, Limits, Policy } from '@confine-sandbox/contract'
import type { CgroupParent } from './cgroup-parents.ts'
import { type FileAccess, fileAccess } from './file-rules.ts'
import { placesOf } from './places.ts'
import type { SharedObjects } from './shared-objects.ts'

/** The path whose statfs asks the supervisor for the lock. It never exists. */
export const lockPath = '/.confine/lock'

/** The launcher's argv, without its own name: what the guest's file system holds, its limits, and its command. */
export function launcherArguments(
  command: Command,
  policy: Policy,
  objects: SharedObjects,
  cgroups: readonly CgroupParent[] = [],
): readonly string[] {
  const executables = [command.file, ...(objects.loader === undefined ? [] : [objects.loader])]
  const access = fileAccess(policy)
  return [
    ...['--lock', lockPath, '--on-violation', policy.onViolation, '--hostname', 'confine'],
    // A guest that may open nothing needs no new descriptor once it is locked. native/seal.c
    ...['--descriptors', access === 'none' ? 'none' : 'some'],
    ...(policy.trace ? ['--trace'] : []),
    ...resourceLimits(policy.limits, access).flatMap((limit) => ['--rlimit', limit]),
    ...(policy.limits.nice === undefined ? [] : ['--nice', `${policy.limits.nice}`]),
    ...memoryLimits(policy).flatMap(([name, mebibytes]) => [name, `${mebibytes}`]),
    ...cgroups.filter(({ kind }) => isLimited(kind, policy.limits)).flatMap(({ kind, directory }) => ['--cgroup', kind, directory]),
    ...(policy.scratchMiB > 0 ? ['--scratch', `${policy.scratchMiB}`] : []),
    ...placesOf(executables, objects, policy).flat(),
    ...policy.bootLinks.flatMap(({ path, target }) => ['--link', path, target]),
    // libuv keeps a spare descriptor open on it; a missing one would be a question at every first stream.
    ...['--empty', '/dev/null'],
    '--',
    command.file,
    ...command.args,
  ]
}

function isLimited(kind: CgroupParent['kind'], { memoryMiB, threads }: Limits): boolean {
  return (kind !== 'pids' && memoryMiB !== undefined) || (kind !== 'memory' && threads !== undefined)
}

function resourceLimits({ cpuSeconds, threads, fileSizeMiB, openFiles = mostOpenFiles }: Limits, access: FileAccess): readonly string[] {
  return [
    // 0 does not hold back a core that is piped to a program, 1 does. core(5), fs/coredump.c
    'core=1',
    // What is above it fails with EFBIG: node ignores the signal.
    ...(access !== 'write' ? ['fsize=0'] : fileSizeMiB === undefined ? [] : [`fsize=${fileSizeMiB * 1024 * 1024}`]),
    ...['memlock=0', `nofile=${openFiles}`],
    ...(cpuSeconds === undefined ? [] : [`cpu=${cpuSeconds}`]),
    // Counted in the guest's user namespace, init included.
    ...(threads === undefined ? [] : [`nproc=${threads + 1}`]),
  ]
}

/** The kernel keeps a table as long as the highest number. native/launch.h, MOST_DESCRIPTORS */
const mostOpenFiles = 65_536

/** What is resident, looked at from outside; and what is allocated, where nothing reserves code space by the half gigabyte. */
function memoryLimits({ limits: { memoryMiB }, threads, jit }: Policy): readonly (readonly [string, number])[] {
  if (memoryMiB === undefined) return []
  // An isolate of isolated-vm counts as 515 MiB allocated and 2 MiB resident: room for machine code.
  return threads && jit
    ? [['--memory', memoryMiB]]
    : [
        ['--memory', memoryMiB],
        ['--data', memoryMiB],
      ]
}
