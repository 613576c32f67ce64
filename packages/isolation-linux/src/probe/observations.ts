import type { Libc } from './report.ts'

/** What was seen, before anybody says what it means. Data: the whole report follows from it. */
export interface Observations {
  readonly platform: string
  readonly architecture: string
  /** uname -r and uname -v. */
  readonly release: string
  readonly version: string
  readonly libc: Libc
  /** Effective, -1 where there is none. */
  readonly uid: number
  /** Of the environment, what container managers set. */
  readonly environment: Readonly<Record<string, string>>
  /** The text of the files that could be read, by path. What is not there could not be. */
  readonly files: Readonly<Record<string, string>>
  /** How confine-probe itself ended, and what it tried. */
  readonly program: ProgramRun
  readonly attempts: readonly Attempt[]
  /** How the launcher ended when it was started without its socket. */
  readonly launcher: ProgramRun
  readonly strace: ProgramRun
}

/** One primitive that confine-probe tried: one line of its output. */
export interface Attempt {
  readonly check: string
  readonly world: World
  /** `failed`: a step, with its errno. `late`: the deadline came first. `untried`: no process could be had for it. */
  readonly state: 'works' | 'failed' | 'killed' | 'late' | 'untried'
  /** The step that failed, named after its system call where there is one. */
  readonly step: string
  /** The name of its errno. Empty: the step came back well and had no effect. */
  readonly error: string
  /** The Landlock ABI, the number of the signal, or the index of the cgroup directory. */
  readonly value: number
}

/** Where it was tried: as this process is; in a user namespace; in other new namespaces, without a user namespace. */
export type World = 'host' | 'user' | 'root'

/** How a program ended. */
export interface ProgramRun {
  /** Its path. Empty: it was not found. */
  readonly file: string
  /** Why it could not be started, such as ENOENT. */
  readonly error?: string
  readonly exitCode?: number
  readonly signal?: string
  /** The first line that it wrote to stderr. */
  readonly message?: string
}
