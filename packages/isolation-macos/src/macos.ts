import { fileURLToPath } from 'node:url'
import {
  ConfineError,
  type Command,
  type ConfinedCommand,
  type IsolationBackend,
  type MissingLayer,
  type Policy,
} from '@confine-sandbox/contract'
import { assessmentOf } from './assessment.ts'
import { requirePassable } from './canonical-path.ts'
import { confinedCommand, type Launch } from './confined-command.ts'
import { explainStart } from './explain-start.ts'
import { type Host, thisHost } from './host.ts'
import { missingLayers } from './missing-layers.ts'
import type { Seatbelt } from './seatbelt-command.ts'
import { mostWalls } from './walls.ts'

/** Options of `macos()`. Those of `Host` are there for tests and have this machine as their default. */
export interface MacosOptions extends Partial<Host> {
  /**
   * No code made at run time (node runs with `--jitless`: slower, no WebAssembly), system calls by list.
   * @default false
   */
  readonly hardened?: boolean
  /**
   * Directories with libraries that node is linked with, beyond the system's. Homebrew, MacPorts and Nix are known.
   * The guest can read them.
   * @default []
   */
  readonly nodeLibraries?: readonly string[]
  /**
   * Tell forbidden acts as `violation` events, from the unified log. Takes a process `log` for each guest, and a second more at
   * its end; only an administrator may read the log, and macOS leaves some denials out of it. For looking into things.
   * @default false
   */
  readonly violations?: boolean
  /** The program that applies a profile. @default '/usr/bin/sandbox-exec' */
  readonly sandboxExec?: string
  /** An empty directory for the guest to stand in. @default '/var/empty' */
  readonly emptyDirectory?: string
  /** The node that `assess` tries the profile with. @default process.execPath */
  readonly execPath?: string
  /** The program that reads the unified log. @default '/usr/bin/log' */
  readonly log?: string
  /**
   * How many processes the user may have when the guest starts another one, which it is denied anyway: one is the guest itself. For
   * tests on Linux, where this limit counts threads.
   * @default 1
   */
  readonly maxProcesses?: number
}

/**
 * Confines guests with Seatbelt, by sandbox-exec. Has no lock path: the profile holds from the guest's first instruction and
 * never changes, so what `policy.bootRead` names stays readable (never writable) for the guest's whole life.
 *
 * The first `assess` or `confine` starts node once under the profile, to see that it does; it waits for it (some 100 ms).
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function macos(options: MacosOptions = {}): IsolationBackend {
  const host: Host = { ...thisHost, ...withoutUndefined(options) }
  const seatbelt: Seatbelt = {
    hardened: options.hardened ?? false,
    nodeLibraries: options.nodeLibraries ?? [],
    // By absolute path: whoever can replace it there is root already.
    sandboxExec: requirePassable(options.sandboxExec ?? '/usr/bin/sandbox-exec', 'sandboxExec'),
    // Always there, always empty, root's: nothing has to be made for a guest and nothing is left behind.
    emptyDirectory: requirePassable(options.emptyDirectory ?? '/var/empty', 'emptyDirectory'),
  }
  const launch: Launch = {
    script: fileURLToPath(new URL('../scripts/launch.sh', import.meta.url)),
    shell: '/bin/bash',
    env: '/usr/bin/env',
    processes: options.maxProcesses ?? 1,
    log: options.violations === true ? requirePassable(options.log ?? '/usr/bin/log', 'log') : undefined,
  }
  const execPath = options.execPath ?? process.execPath
  let found: readonly MissingLayer[] | undefined
  const missing = () => (found ??= missingLayers(host, seatbelt, launch, execPath))

  return {
    name: 'macos',
    mostWalls: mostWalls(seatbelt.hardened),
    assess: (policy: Policy) => assessmentOf(policy, seatbelt.hardened || !policy.jit, missing()),
    confine(command: Command, policy: Policy): ConfinedCommand {
      const lacking = missing()
      if (lacking.length > 0) throw unavailable(lacking)
      refuseScratch(policy)
      return confinedCommand(command, policy, { ...seatbelt, hardened: seatbelt.hardened || !policy.jit }, launch, host.realpath)
    },
    explainStart,
  }
}

function refuseScratch({ scratchMiB }: Policy): void {
  if (scratchMiB === 0) return
  throw new ConfineError(
    'ERR_CONFINE_ISOLATION_UNAVAILABLE',
    'macOS has no file system in memory that a user may mount: policy.scratchMiB is held on Linux only. ' +
      'Grant an empty directory instead (policy.write), and remove it afterwards.',
  )
}

function unavailable(lacking: readonly MissingLayer[]): ConfineError {
  const why = lacking.map(({ reason, remedy }) => `${reason} ${remedy}`).join(' ')
  return new ConfineError('ERR_CONFINE_ISOLATION_UNAVAILABLE', `Cannot confine the guest with Seatbelt: ${why}`)
}

function withoutUndefined(options: MacosOptions): Partial<Host> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
