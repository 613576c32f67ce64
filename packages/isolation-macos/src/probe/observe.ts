import { spawn } from 'node:child_process'
import os from 'node:os'
import type { ConfinedCommand, StartEnd } from '@confine-sandbox/contract'
import { ps, trialCommand } from '../missing-layers.ts'
import type { Settings } from '../settings.ts'

/** What was seen, before anybody says what it means. Data: the whole report follows from it. */
export interface MacosObservations {
  readonly platform: string
  readonly architecture: string
  /** uname -r */
  readonly release: string
  /** Effective, -1 where there is none. */
  readonly uid: number
  /** The groups of this process, by number. */
  readonly groups: readonly number[]
  /** What the first processor calls itself; empty when it does not. */
  readonly processor: string
  /** Whether the environment says that this process is an app in its sandbox. */
  readonly isApp: boolean
  /** The programs that are looked for, and whether this user may run each. */
  readonly programs: Readonly<Record<'sandboxExec' | 'shell' | 'env' | 'ps' | 'log', { readonly file: string; readonly isThere: boolean }>>
  readonly emptyDirectory: { readonly path: string; readonly isEmpty: boolean }
  /** How node under the profile ended. Absent: it was not tried. */
  readonly plain?: StartEnd
  readonly hardened?: StartEnd
}

/** Looks at this machine, and starts node under both profiles where everything for it is there. Never rejects. */
export async function observe({ host, seatbelt, launch, execPath }: Settings, logFile: string): Promise<MacosObservations> {
  const program = (file: string) => ({ file, isThere: host.isExecutable(file) })
  const programs = {
    sandboxExec: program(seatbelt.sandboxExec),
    shell: program(launch.shell),
    env: program(launch.env),
    ps: program(ps),
    log: program(logFile),
  }
  const isEmpty = host.isEmptyDirectory(seatbelt.emptyDirectory)
  const { sandboxExec, shell, env } = programs
  const canTry = host.platform === 'darwin' && [sandboxExec, shell, env, programs.ps].every(({ isThere }) => isThere) && isEmpty
  const attempt = (hardened: boolean) => started(() => trialCommand(host, { ...seatbelt, hardened }, launch, execPath))
  const [plain, hardened] = canTry ? await Promise.all([attempt(false), attempt(true)]) : []
  return {
    platform: host.platform,
    architecture: process.arch,
    release: os.release(),
    uid: process.geteuid?.() ?? -1,
    groups: process.getgroups?.() ?? [],
    processor: os.cpus()[0]?.model ?? '',
    isApp: process.env.APP_SANDBOX_CONTAINER_ID !== undefined,
    programs,
    emptyDirectory: { path: seatbelt.emptyDirectory, isEmpty },
    ...(plain === undefined ? {} : { plain }),
    ...(hardened === undefined ? {} : { hardened }),
  }
}

/** Runs a command to its end, with what it writes to its report descriptors thrown away. */
async function started(command: () => ConfinedCommand): Promise<StartEnd> {
  try {
    const { file, args, env, cwd } = command()
    const child = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', 'ignore'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    })
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      if (stderr.length < maxStderr) stderr += chunk.toString()
    })
    const { promise, resolve } = Promise.withResolvers<StartEnd>()
    child.on('error', (error) => resolve({ exitCode: null, signal: null, stderr: String(error) }))
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stderr }))
    return await promise
  } catch (error) {
    return { exitCode: null, signal: null, stderr: error instanceof Error ? error.message : String(error) }
  }
}

const deadlineMs = 10_000
const maxStderr = 16 * 1024
