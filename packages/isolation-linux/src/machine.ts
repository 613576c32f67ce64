import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CgroupParent, cgroupParents, theseFiles } from './cgroup-parents.ts'
import { headerBytes, isForeign } from './probe/elf.ts'
import { probeNow } from './probe/probe-now.ts'
import type { ProbeReport } from './probe/report.ts'

/** What the backend asks of the machine. All of its input is here. */
export interface Machine {
  readonly platform: string
  readonly architecture: string
  /**
   * Whether there is a program for this machine at a path, and it may be executed. A file that the kernel refuses to
   * execute would reach a shell: execvp(3) takes it for a script.
   */
  isExecutable(path: string): boolean
  /** What this machine can do to hold a guest, by trying it. The launcher's neighbour confine-probe does it. */
  probe(launcher: string): ProbeReport
  /** Where cgroups can be made for guests. @default nowhere */
  cgroups?(): readonly CgroupParent[]
}

/** This machine. */
export const thisMachine: Machine = Object.freeze({
  platform: process.platform,
  architecture: process.arch,
  isExecutable: (path: string) => {
    try {
      accessSync(path, constants.X_OK)
      return !isForeign(readHeader(path), process.arch)
    } catch {
      return false
    }
  },
  cgroups: () => cgroupParents(theseFiles),
  probe: (launcher: string) => probeNow({ launcher, probe: join(dirname(launcher), 'confine-probe') }),
})

function readHeader(path: string): Uint8Array {
  const header = new Uint8Array(headerBytes)
  const file = openSync(path, 'r')
  try {
    return header.subarray(0, readSync(file, header))
  } finally {
    closeSync(file)
  }
}
