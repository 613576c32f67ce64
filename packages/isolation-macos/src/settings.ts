import { fileURLToPath } from 'node:url'
import { requirePassable } from './canonical-path.ts'
import type { Launch } from './confined-command.ts'
import { type Host, thisHost } from './host.ts'
import type { Seatbelt } from './seatbelt-command.ts'

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

/** The options with everything that they leave open. */
export interface Settings {
  readonly host: Host
  readonly seatbelt: Seatbelt
  readonly launch: Launch
  readonly execPath: string
}

/** @throws ERR_CONFINE_BAD_OPTION */
export function settingsOf(options: MacosOptions): Settings {
  return {
    host: { ...thisHost, ...withoutUndefined(options) },
    seatbelt: {
      hardened: options.hardened ?? false,
      nodeLibraries: options.nodeLibraries ?? [],
      // By absolute path: whoever can replace it there is root already.
      sandboxExec: requirePassable(options.sandboxExec ?? '/usr/bin/sandbox-exec', 'sandboxExec'),
      // Always there, always empty, root's: nothing has to be made for a guest and nothing is left behind.
      emptyDirectory: requirePassable(options.emptyDirectory ?? '/var/empty', 'emptyDirectory'),
    },
    launch: {
      script: fileURLToPath(new URL('../scripts/launch.sh', import.meta.url)),
      shell: '/bin/bash',
      env: '/usr/bin/env',
      processes: options.maxProcesses ?? 1,
      log: options.violations === true ? requirePassable(options.log ?? '/usr/bin/log', 'log') : undefined,
    },
    execPath: options.execPath ?? process.execPath,
  }
}

function withoutUndefined(options: MacosOptions): Partial<Host> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
