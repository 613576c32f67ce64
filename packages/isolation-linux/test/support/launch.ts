import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Command, defaultPolicy, type IsolationEvent, type Policy, type Violation } from '@confine-sandbox/contract'
import { linux } from '../../src/linux.ts'
import type { Architecture } from '../../src/syscall-numbers.ts'

/** Who launches. Root launches as both, everybody else as themselves. */
export const users = process.geteuid?.() === 0 ? (['root', 'nobody'] as const) : (['self'] as const)
export type User = (typeof users)[number]

export const architecture = process.arch as Architecture
export const backend = linux()
export const lockPath = backend.lockPath as string

/** What a guest's node gets in its environment. */
export const environment = { HOME: '/', TZ: 'UTC', OPENSSL_CONF: '', OPENSSL_ia32cap: '' }

/** Node code that is locked before the rest of it runs. What is lazy in node is touched before. */
export function locked(code: string): Command {
  const prelude = `process.stdout; process.stderr; process.stdin; process.cwd()
    const say = (...values) => fs.writeSync(1, values.map((value) => typeof value === 'string' ? value : JSON.stringify(value)).join(' ') + '\\n')
    const attempt = (act) => { try { const got = act(); say('got', got === undefined ? 'nothing' : got) } catch (error) { say(error.code ?? error.message) } }
    const locked = () => { try { fs.statfsSync('${lockPath}') } catch (error) { if (error.code !== 'ENOENT') throw error } }`
  return {
    file: process.execPath,
    args: ['-e', `${prelude}\nfs.access('/', () => { locked()\n${code}\n})`],
    env: environment,
  }
}

/** The same code where nothing confines it. */
export function unconfined(code: string): { readonly stdout: string; readonly status: number | null } {
  const { file, args } = locked(code)
  // Whoever is not root gets a network of his own in a user namespace only.
  const alone = process.geteuid?.() === 0 ? ['--net'] : ['--user', '--map-current-user', '--net']
  const end = spawnSync('unshare', [...alone, file, ...args], { env: { ...environment, PATH: process.env.PATH }, encoding: 'utf8' })
  if (end.error !== undefined) throw end.error
  return end
}

/** A program of test/programs, which `make test` has built. */
export function program(name: string): string {
  const native = fileURLToPath(new URL('../../native', import.meta.url))
  const made = spawnSync('make', ['-s', '-C', native, 'test'], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`Cannot build the test programs: ${made.stderr}`)
  return `${native}/build/test-${architecture}/${name}`
}

export interface LaunchOptions extends Partial<Policy> {
  readonly as?: User
  /** Changes the launcher's arguments. */
  readonly rewrite?: (args: readonly string[]) => readonly string[]
  /** What is sent in place of the plan. */
  readonly plan?: Uint8Array
  /** A program that starts the launcher. */
  readonly under?: readonly string[]
  /** Do not read what the launcher reports. */
  readonly deaf?: boolean
}

export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly events: readonly IsolationEvent[]
  readonly violations: readonly Violation[]
  /** The launcher's lines, as they came. */
  readonly reports: string
}

export interface Launch {
  readonly child: ChildProcess
  readonly channel: Duplex
  readonly control: Duplex
  readonly events: readonly IsolationEvent[]
  /** Resolves with the first event of a type. */
  event(type: IsolationEvent['type']): Promise<IsolationEvent>
  /** Resolves when the guest has written this. */
  output(text: string): Promise<void>
  readonly end: Promise<End>
}

/** Starts a command confined, as core does. */
export function launch(command: Command, options: LaunchOptions = {}): Launch {
  const { as = users[0], rewrite, plan, under = [], deaf = false, ...policy } = options
  const confined = backend.confine(command, { ...defaultPolicy, ...policy })
  const argv = [...become(as), ...under, confined.file, ...(rewrite?.(confined.args) ?? confined.args)]
  const child = spawn(argv[0] as string, argv.slice(1), {
    cwd: confined.cwd,
    env: confined.env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  const streams = child.stdio as unknown as [null, Duplex, Duplex, Duplex, Duplex]
  const [descriptor] = confined.descriptors
  const reader = descriptor?.read()
  const control = streams[4]
  const events: IsolationEvent[] = []
  let reports = ''
  let stdout = ''
  let stderr = ''
  const changes = new Set<() => void>()
  const changed = () => {
    for (const change of changes) change()
  }
  const take = (stream: Duplex, keep: (chunk: Buffer) => void) =>
    stream
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        keep(chunk)
        changed()
      })
  take(streams[1], (chunk) => (stdout += chunk.toString('latin1')))
  take(streams[2], (chunk) => (stderr += chunk.toString('latin1')))
  if (!deaf)
    take(control, (chunk) => {
      reports += chunk.toString('latin1')
      events.push(...(reader?.(chunk) ?? []))
    })
  else control.on('error', () => {})
  streams[3].on('error', () => {})
  control.write(plan ?? descriptor?.send ?? '')

  const end = once(child, 'close').then(([code, signal]): End => {
    changed()
    const violations = events.flatMap((event) => (event.type === 'violation' ? [event.violation] : []))
    return { code, signal, stdout, stderr, events, violations, reports }
  })
  const until = <T>(find: () => T | undefined, what: string) =>
    new Promise<T>((resolve, reject) => {
      const look = () => {
        const found = find()
        if (found === undefined) return
        changes.delete(look)
        resolve(found)
      }
      changes.add(look)
      look()
      void end.then(() => reject(new Error(`The guest ended without ${what}: ${reports}${stdout}${stderr}`)))
    })
  return {
    child,
    channel: streams[3],
    control,
    events,
    event: (type) => until(() => events.find((event) => event.type === type), type),
    output: async (text) => void (await until(() => stdout.includes(text) || undefined, text)),
    end,
  }
}

/** Starts a command confined and waits for its end. */
export async function run(command: Command, options: LaunchOptions = {}): Promise<End> {
  return await launch(command, options).end
}

function become(user: User): readonly string[] {
  return user === 'nobody' ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
}

/** The processes whose command line holds this text. */
export function processesWith(marker: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(marker)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** The children of a process, oldest first: init of a supervisor, the guest of init. */
export function children(pid: number | undefined): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
}

/** What the kernel says about a process, field by field. */
export function statusOf(pid: number): Readonly<Record<string, string>> {
  const lines = readFileSync(`/proc/${pid}/status`, 'latin1').trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]))
}

export function isAlive(pid: number): boolean {
  try {
    return !/^[ZX]/.test(statusOf(pid).State ?? '')
  } catch {
    return false
  }
}
