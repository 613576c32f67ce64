import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { ConfineError, type ConfinedCommand } from '@confine-sandbox/contract'

/**
 * Wraps a command in strace, which writes its trace to a descriptor of its own, so that it does not mix with the guest's
 * stderr.
 * @throws ERR_CONFINE_ISOLATION_UNAVAILABLE where there is no strace.
 */
export function traced(command: ConfinedCommand): { command: ConfinedCommand; traceDescriptor: number } {
  const traceDescriptor = 4 + command.descriptors.length
  return {
    traceDescriptor,
    command: {
      ...command,
      file: findStrace(),
      // A socket cannot be opened by a path, so a child of strace writes to it.
      args: ['-f', '-qq', '-o', `|exec cat >&${traceDescriptor}`, '--', command.file, ...command.args],
    },
  }
}

function findStrace(): string {
  const found = (process.env.PATH ?? '')
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, 'strace'))
    .find(isExecutable)
  if (found !== undefined) return found
  throw new ConfineError(
    'ERR_CONFINE_ISOLATION_UNAVAILABLE',
    'Cannot trace the guest (strace: true): there is no strace program in the PATH. Install it, for example with apt install strace',
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
