import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { ConfineError, type ConfinedCommand, type IsolationBackend } from '@confine-sandbox/contract'

/** Who reports a guest's system calls: the strace program, or the backend when that is not there or may not trace. */
export type Tracer = { readonly by: 'strace'; readonly file: string } | { readonly by: 'backend' }

/**
 * Finds who can trace a guest that this backend confines. Runs strace once, on itself: a container or the kernel can
 * forbid ptrace, and there is no other way to know.
 * @throws ERR_CONFINE_ISOLATION_UNAVAILABLE where there is neither.
 */
export function findTracer(backend: IsolationBackend): Tracer {
  const file = findStrace()
  if (file !== undefined && canTrace(file)) return { by: 'strace', file }
  if (backend.traces === true) return { by: 'backend' }
  if (process.platform === 'darwin') {
    throw new ConfineError(
      'ERR_CONFINE_ISOLATION_UNAVAILABLE',
      'Cannot trace the guest (strace: true): there is no strace for macOS. Leave it out',
    )
  }
  throw new ConfineError(
    'ERR_CONFINE_ISOLATION_UNAVAILABLE',
    file === undefined
      ? 'Cannot trace the guest (strace: true): there is no strace program in the PATH. Install it, for example with apt install strace'
      : `Cannot trace the guest (strace: true): ${file} may not trace a process here. Allow ptrace, in Docker with --cap-add SYS_PTRACE`,
  )
}

/**
 * Wraps a command in strace, which writes its trace to a descriptor of its own, so that it does not mix with the guest's
 * stderr.
 */
export function traced(command: ConfinedCommand, strace: string): { command: ConfinedCommand; traceDescriptor: number } {
  const traceDescriptor = 4 + command.descriptors.length
  return {
    traceDescriptor,
    command: {
      ...command,
      file: strace,
      // A socket cannot be opened by a path, so a child of strace writes to it.
      args: ['-f', '-qq', '-o', `|exec cat >&${traceDescriptor}`, '--', command.file, ...command.args],
    },
  }
}

function findStrace(): string | undefined {
  return (process.env.PATH ?? '')
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, 'strace'))
    .find(isExecutable)
}

function canTrace(strace: string): boolean {
  const options = { stdio: 'ignore', timeout: 5000, killSignal: 'SIGKILL' } as const
  return spawnSync(strace, ['-qq', '-o', '/dev/null', '--', strace, '-V'], options).status === 0
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
