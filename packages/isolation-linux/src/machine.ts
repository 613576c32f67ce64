import { accessSync, constants, readFileSync } from 'node:fs'

/** What the backend asks of the machine. All of its input is here. */
export interface Machine {
  readonly platform: string
  readonly architecture: string
  readonly isRoot: boolean
  /** Whether there is a file of this path that may be executed. */
  isExecutable(path: string): boolean
  /** The number in a file of /proc/sys, undefined when there is none. */
  readSysctl(path: string): number | undefined
}

/** This machine. */
export const thisMachine: Machine = Object.freeze({
  platform: process.platform,
  architecture: process.arch,
  isRoot: process.geteuid?.() === 0,
  isExecutable: (path: string) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  },
  readSysctl: (path: string) => {
    try {
      return Number.parseInt(readFileSync(`/proc/sys/${path}`, 'latin1'), 10)
    } catch {
      return undefined
    }
  },
})
