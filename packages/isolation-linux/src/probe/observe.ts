import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import os from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { readAttempts } from './attempts.ts'
import { filesAround } from '../cgroup-parents.ts'
import { cgroupPlaces } from '../cgroup-places.ts'
import { headerBytes, isForeign } from './elf.ts'
import { sysctlFiles } from './facts.ts'
import type { Observations, ProgramRun } from './observations.ts'
import type { Libc } from './report.ts'
import { surroundingFiles, surroundingVariables } from './surroundings.ts'

/** The programs that are started. */
export interface Programs {
  readonly launcher: string
  readonly probe: string
}

/**
 * Looks at this machine. Files are read here; everything that could have an effect is done in short-lived programs,
 * all at once, each of which is ended when it takes too long. Never rejects.
 */
export async function observe({ launcher, probe }: Programs): Promise<Observations> {
  const isLinux = process.platform === 'linux'
  const files = isLinux ? readFiles() : {}
  const strace = isLinux ? findInPath('strace') : undefined
  const directories = cgroupPlaces(files).map(({ directory }) => directory)
  const [tried, launched, traced] = await Promise.all([
    isLinux ? run(probe, directories) : notRun(probe),
    isLinux ? run(launcher, []) : notRun(launcher),
    strace === undefined ? notRun('') : run(strace, ['-V']),
  ])
  return {
    platform: process.platform,
    architecture: process.arch,
    release: os.release(),
    version: os.version(),
    libc: isLinux ? readLibc() : { name: 'unknown' },
    uid: process.geteuid?.() ?? -1,
    environment: readEnvironment(),
    files,
    program: tried.end,
    attempts: readAttempts(tried.output),
    launcher: launched.end,
    strace: traced.end,
  }
}

interface Run {
  readonly end: ProgramRun
  readonly output: string
}

/** Above the deadline of confine-probe itself, native/probe/main.c. */
export const deadlineMs = 2500
/** A hundred lines; nobody has a reason to write more. */
const maxOutputCharacters = 64 * 1024

function notRun(file: string): Run {
  return { end: { file }, output: '' }
}

function run(file: string, args: readonly string[]): Promise<Run> {
  const header = readHeader(file)
  if (header !== undefined && isForeign(header, process.arch)) return Promise.resolve({ end: { file, error: 'ENOEXEC' }, output: '' })
  return new Promise((resolve) => {
    let output = ''
    let message = ''
    const done = (end: Omit<ProgramRun, 'file'>) => resolve({ end: { file, ...end }, output })
    try {
      const child = spawn(file, args, {
        cwd: '/',
        env: { LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        // Whoever else holds them is not waited for.
        child.stdout.destroy()
        child.stderr.destroy()
      }, deadlineMs)
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(0, maxOutputCharacters)))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (message = (message + text).slice(0, 1024)))
      child.on('error', (error) => {
        clearTimeout(timer)
        done({ error: codeOf(error) })
      })
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        done({ ...(code === null ? {} : { exitCode: code }), ...(signal === null ? {} : { signal }), ...firstLine(message) })
      })
    } catch (error) {
      // Some failures of the spawn come at once: EACCES, EMFILE.
      done({ error: codeOf(error) })
    }
  })
}

/** Undefined: it cannot be read, and the spawn will tell why. */
function readHeader(file: string): Uint8Array | undefined {
  try {
    const fd = openSync(file, 'r')
    try {
      const header = new Uint8Array(headerBytes)
      return header.subarray(0, readSync(fd, header))
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error)
}

function firstLine(text: string): { readonly message?: string } {
  const [line = ''] = text.trim().split('\n')
  return line === '' ? {} : { message: line }
}

export function readFiles(): Readonly<Record<string, string>> {
  const files: Record<string, string> = {}
  const read = (path: string) => {
    try {
      files[path] = readFileSync(path, 'latin1')
    } catch {
      // That it is not there, or not for this user, is what is to be known.
    }
  }
  for (const path of [...processFiles, ...surroundingFiles]) read(path)
  for (const path of sysctlFiles) read(`/proc/sys/${path}`)
  for (const { version, directory } of cgroupPlaces(files))
    if (version === 2) for (const path of [join(directory, 'cgroup.controllers'), ...filesAround(directory)]) read(path)
  return files
}

const processFiles = ['/proc/self/status', '/proc/self/attr/current', '/proc/self/mountinfo', '/proc/self/cgroup']

export function readEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    surroundingVariables.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function findInPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export function readLibc(): Libc {
  // @types/node lacks it.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const { excludeNetwork } = report
  // Or the report looks up the name of every peer of every socket.
  report.excludeNetwork = true
  try {
    const { header, sharedObjects } = report.getReport() as { header?: { glibcVersionRuntime?: string }; sharedObjects?: readonly string[] }
    if (header?.glibcVersionRuntime !== undefined) return { name: 'glibc', version: header.glibcVersionRuntime }
    return { name: sharedObjects?.some((path) => path.includes('musl')) ? 'musl' : 'unknown' }
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}
