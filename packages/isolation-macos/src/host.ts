import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs'
import type { StartEnd } from '@confine-sandbox/contract'

/** What the backend asks of the machine. All of its input and output is here. */
export interface Host {
  readonly platform: NodeJS.Platform
  /** Whether there is a program of this path that may be executed. */
  isExecutable(path: string): boolean
  /** Whether there is a directory of this path with nothing in it. */
  isEmptyDirectory(path: string): boolean
  /**
   * The path by which the kernel knows a file: no link, and letters in the case and normal form that are on the disk.
   * @throws when there is no such file.
   */
  realpath(path: string): string
  /** Runs a program to its end, with an empty environment and no input; what it writes to 3 and 4 is lost. */
  run(file: string, args: readonly string[], cwd: string): StartEnd
}

/** This machine. */
export const thisHost: Host = Object.freeze({
  // When it is asked, so that a test can be on another one.
  get platform() {
    return process.platform
  },
  isExecutable: (path: string) => succeeds(() => accessSync(path, constants.X_OK)),
  isEmptyDirectory: (path: string) => {
    try {
      return readdirSync(path).length === 0
    } catch {
      return false
    }
  },
  // realpath(3), not Node's own: on a volume that ignores case, only the former gives the case that is on the disk.
  realpath: (path: string) => realpathSync.native(path),
  run: (file: string, args: readonly string[], cwd: string) => {
    const end = spawnSync(file, args, {
      cwd,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'ignore'],
      encoding: 'utf8',
      timeout: 10_000,
    })
    return { exitCode: end.status, signal: end.signal, stderr: end.stderr ?? String(end.error ?? '') }
  },
})

function succeeds(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
