import { spawnSync } from 'node:child_process'
import os from 'node:os'
import { readAttempts } from './attempts.ts'
import { cgroupPlaces } from '../cgroup-places.ts'
import type { ProgramRun } from './observations.ts'
import { deadlineMs, readEnvironment, readFiles, readLibc } from './observe.ts'
import type { ProbeReport } from './report.ts'
import { reportOf } from './report-of.ts'

/**
 * The same as `probe()`, for callers that cannot wait: it takes some 20 ms of this thread, and leaves out what no tier
 * depends on, which is strace.
 */
export function probeNow(programs: { readonly launcher: string; readonly probe: string }): ProbeReport {
  const files = readFiles()
  const directories = cgroupPlaces(files).map(({ directory }) => directory)
  const tried = run(programs.probe, directories)
  return reportOf({
    platform: process.platform,
    architecture: process.arch,
    release: os.release(),
    version: os.version(),
    libc: readLibc(),
    uid: process.geteuid?.() ?? -1,
    environment: readEnvironment(),
    files,
    program: tried.end,
    attempts: readAttempts(tried.output),
    launcher: run(programs.launcher, []).end,
    strace: { file: '' },
  })
}

function run(file: string, args: readonly string[]): { readonly end: ProgramRun; readonly output: string } {
  const { error, status, signal, stdout } = spawnSync(file, args, {
    cwd: '/',
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  })
  const code = error !== undefined && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    end: {
      file,
      ...(code === undefined ? {} : { error: code }),
      ...(status === null ? {} : { exitCode: status }),
      ...(signal === null ? {} : { signal }),
    },
    output: stdout ?? '',
  }
}
