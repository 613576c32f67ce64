import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cgroupParents, theseFiles } from '../../packages/isolation-linux/src/cgroup-parents.ts'
import { root } from '../packages.ts'

// Launches whose host, supervisor or init is killed at a random moment. Whatever the moment, nothing may be left: no
// process, no mount, no cgroup, no file.

const launches = Number(process.env.CONFINE_SOAK_LAUNCHES ?? 1000)
const atOnce = 4

/** From before the launcher runs to after the first call, on this machine. */
let longestDelayMs: number
let directory: string
let runtime: string

beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-soak-')))
  // A host that is root runs its guests as nobody, who must be able to read it.
  chmodSync(directory, 0o755)
  runtime = join(directory, 'runtime.cjs')
  // The path of this file stands in the command line of every process of a launch: that is how those left are found.
  writeFileSync(
    runtime,
    `const { EventEmitter } = require('node:events')
     module.exports = class extends EventEmitter { async init() {} async run() {} close() {} async handleAPICall() { for (;;); } }`,
  )
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

const host = `
  import { Sandbox } from ${JSON.stringify(join(root, 'packages/confine-sandbox/dist/index.js'))}
  const sbx = new Sandbox({ runtime: process.argv[1] })
  sbx.init().catch(() => {})
  process.stdout.write(sbx.guestProcess.pid + '\\n')
  const container = await sbx.execContainer({ source: '' })
  process.stdout.write('loaded\\n')
  await container.call('loop')`

test(`${launches} launches with a kill at a random moment leave nothing`, async () => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  const files = leftFiles()
  const cgroups = leftCgroups()
  longestDelayMs = 1.5 * Math.max(...(await Promise.all(Array.from({ length: atOnce }, undisturbedMs))))
  const killed: Record<Victim, number> = { host: 0, supervisor: 0, init: 0 }
  let next = 0
  const worker = async () => {
    while (next < launches) {
      const victim = victims[next++ % victims.length] as Victim
      if (await launchAndKill(victim)) killed[victim]++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  await expect.poll(processesLeft).toEqual([])
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts)
  expect(leftFiles()).toEqual(files)
  await expect.poll(() => leftCgroups().filter((name) => !cgroups.includes(name) && !isAnothers(name))).toEqual([])
  // Each kind of kill did happen, most of the time: init is not always there yet.
  expect(killed.host).toBeGreaterThan(launches / 4)
  expect(killed.supervisor).toBeGreaterThan(launches / 8)
  expect(killed.init).toBeGreaterThan(launches / 20)
})

type Victim = 'host' | 'supervisor' | 'init'
const victims: readonly Victim[] = ['host', 'supervisor', 'init']

function startHost() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', host, runtime], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: directory,
  })
  // Not by chunks: two lines may come as one.
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, lines, exited: once(child, 'exit') }
}

/** How long one takes that nobody kills. */
async function undisturbedMs(): Promise<number> {
  const { child, lines, exited } = startHost()
  await lines.next()
  const began = performance.now()
  await lines.next()
  const tookMs = performance.now() - began
  child.kill('SIGKILL')
  await exited
  return tookMs
}

/** Returns whether the victim was there to be killed. */
async function launchAndKill(victim: Victim): Promise<boolean> {
  const { child, lines, exited } = startHost()
  const supervisor = Number((await lines.next()).value)
  expect(supervisor).toBeGreaterThan(1)
  await delay(Math.random() * longestDelayMs)
  const wasThere = kill(victim, child, supervisor)
  // With its guest gone the host's call fails and it exits by itself.
  await Promise.race([exited, delay(5000).then(() => child.kill('SIGKILL'))])
  return wasThere
}

function kill(victim: Victim, child: ChildProcess, supervisor: number): boolean {
  if (victim === 'host') return child.kill('SIGKILL')
  const pid = victim === 'supervisor' ? supervisor : childOf(supervisor)
  if (pid === undefined) return false
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

function childOf(pid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
    return first ? Number(first) : undefined
  } catch {
    return undefined
  }
}

/** Who still has the runtime's path in its command line. */
function processesLeft(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((line) => line.includes(runtime))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Of every launch on this machine. Empty where none can be made. */
function leftCgroups(): string[] {
  return cgroupParents(theseFiles).flatMap(({ directory }) => readdirSync(directory).filter((name) => name.startsWith('confine-')))
}

/** Its keeper runs: a launch of somebody else's, at the same time. */
function isAnothers(name: string): boolean {
  return existsSync(`/proc/${name.split('-').at(-1)}`)
}

function leftFiles(): string[] {
  return [...readdirSync(directory), ...readdirSync('/dev/shm')].sort()
}
