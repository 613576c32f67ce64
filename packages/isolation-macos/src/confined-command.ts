import { type Command, type ConfinedCommand, ConfineError, type Limits, type Policy } from '@confine-sandbox/contract'
import type { Host } from './host.ts'
import { type Seatbelt, seatbeltCommand } from './seatbelt-command.ts'
import { violationReader } from './violation-reader.ts'
import { wallsOf } from './walls.ts'
import { watchReader } from './watch-reader.ts'

/** The programs around sandbox-exec, and what they are told. */
export interface Launch {
  /** Absolute path of scripts/launch.sh. watch.sh stands beside it. */
  readonly script: string
  /** The shell that runs both. */
  readonly shell: string
  /** Sets the environment of the guest. */
  readonly env: string
  /** How many processes the guest's user may have, before the guest may start another one. */
  readonly processes: number
  /** The program that reads the unified log; undefined: violations are not looked for. */
  readonly log: string | undefined
}

/**
 * The command that becomes the guest: a shell that starts a watcher and sets limits, then sandbox-exec in its place, then node in
 * that one's.
 * @throws what `seatbeltCommand` throws, and ERR_CONFINE_ISOLATION_UNAVAILABLE when it is more than macOS can hand to a program.
 */
export function confinedCommand(
  command: Command,
  policy: Policy,
  seatbelt: Seatbelt,
  launch: Launch,
  realpath: Host['realpath'],
): ConfinedCommand {
  const { file, args, cwd } = seatbeltCommand(command, policy, seatbelt, realpath)
  const environment = Object.entries(command.env).map(([name, value]) => `${name}=${value}`)
  const limits = limitWords(policy, launch)
  const words = ['-p', launch.script, ...limits, launch.env, ...environment, file, ...args]
  requireRoom([launch.shell, ...words, ...environment])
  const violations = { isLate: true, read: () => violationReader(policy) }
  return {
    file: launch.shell,
    args: words,
    // Set once more by env, since a shell adds to what it was started with. With -p it takes no orders from it.
    env: { ...command.env },
    cwd,
    becomesGuest: true,
    descriptors: [{ read: watchReader }, ...(launch.log === undefined ? [] : [violations])],
    holds: { layers: layersOf(seatbelt, policy), walls: wallsOf(seatbelt.hardened) },
  }
}

/** What launch.sh takes before the command. */
function limitWords({ limits, write }: Policy, { processes, log }: Launch): readonly string[] {
  return [
    memoryKiB(limits),
    count(limits.cpuSeconds),
    fileKiB(limits, write.length > 0),
    count(limits.openFiles),
    String(processes),
    log ?? '',
  ]
}

/** What node takes to start, as ps counts it: libraries that it shares with others are in it. */
const startMiB = 96

function memoryKiB({ memoryMiB }: Limits): string {
  return memoryMiB === undefined ? '' : String((memoryMiB + startMiB) * 1024)
}

/** Who may write nothing may not write a byte, whatever the profile says. */
function fileKiB({ fileSizeMiB }: Limits, writes: boolean): string {
  if (!writes) return '0'
  return fileSizeMiB === undefined ? '' : String(fileSizeMiB * 1024)
}

function count(limit: number | undefined): string {
  return limit === undefined ? '' : String(limit)
}

function layersOf({ hardened }: Seatbelt, { limits }: Policy): readonly string[] {
  const watched = limits.memoryMiB !== undefined || limits.cpuSeconds !== undefined
  return ['seatbelt', ...(hardened ? ['seatbelt-hardened'] : []), 'rlimits', ...(watched ? ['watcher'] : [])]
}

/** macOS takes this many bytes of arguments and environment together, bytes. // kern.argmax; navikt/cplt#327 */
const maxArgumentBytes = 1024 * 1024
/** Kept free for what the kernel adds: the program's path, pointers, the stack's own words. */
const reservedBytes = 64 * 1024

function requireRoom(words: readonly string[]): void {
  // Each word ends in a NUL, and a pointer of 8 bytes stands for it.
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1 + 8, 0)
  if (bytes <= maxArgumentBytes - reservedBytes) return
  throw new ConfineError(
    'ERR_CONFINE_ISOLATION_UNAVAILABLE',
    `Cannot confine the guest with Seatbelt: its arguments, environment and paths take ${bytes} bytes, and macOS takes ` +
      `${maxArgumentBytes - reservedBytes}. Let policy.bootRead name fewer directories further up, or make the environment smaller.`,
  )
}
