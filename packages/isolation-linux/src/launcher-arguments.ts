import type { Command, Policy } from '@confine-sandbox/contract'
import type { SharedObjects } from './shared-objects.ts'
import { handoverDescriptor } from './syscall-rules.ts'

/** The file whose opening asks the supervisor for the lock. It never exists. */
export const lockPath = '/.confine/lock'

/** The launcher's argv, without its own name: what the guest's file system holds, its limits, and its command. */
export function launcherArguments(command: Command, policy: Policy, objects: SharedObjects): readonly string[] {
  const executables = [command.file, ...(objects.loader === undefined ? [] : [objects.loader])]
  const readable = withoutNested([...objects.libraries, ...policy.bootRead])
  // A directory before what is below it, or it would cover it.
  const places = [...new Set([...executables, ...readable])].sort()
  return [
    ...['--lock', lockPath, '--on-violation', policy.onViolation, '--hostname', 'confine'],
    ...Object.entries(limits).flatMap(([name, value]) => ['--rlimit', `${name}=${value}`]),
    ...places.flatMap((path) => [executables.includes(path) ? '--bind-exec' : '--bind', path]),
    ...policy.bootLinks.flatMap(({ path, target }) => ['--link', path, target]),
    // libuv keeps a spare descriptor open on it; a missing one would be a question at every first stream.
    ...['--empty', '/dev/null'],
    '--',
    command.file,
    ...command.args,
  ]
}

const limits = Object.freeze({
  // 0 does not hold back a core that is piped to a program, 1 does. core(5), fs/coredump.c
  core: 1,
  fsize: 0,
  memlock: 0,
  nofile: handoverDescriptor,
})

/** A directory brings what is below it. */
function withoutNested(paths: readonly string[]): readonly string[] {
  const sorted = [...new Set(paths)].sort()
  return sorted.filter((path) => !sorted.some((other) => path.startsWith(`${other}/`)))
}
