import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import type { Report, Task } from './frames/report.ts'

// Bytes of an enemy, in both directions: against the two peers at full speed, and from and to real guests. Every frame is changed, and
// counted. Each program runs in a process of its own; stalls are measured in CPU time of its thread, as the machine may be busy with others.

const frames = Number(process.env.CONFINE_SOAK_FRAMES ?? 1_000_000)
/** Another one each time: to see a failure again, give the one that it names. */
const seed = Number(process.env.CONFINE_SOAK_SEED ?? randomInt(2 ** 31))
const timeout = 20 * 60_000

test.concurrent.for(['guest', 'host'] as const)(
  `${frames} hostile frames of the %s against the other side's peer`,
  { timeout },
  async (from, context) => {
    const report = await run(context, 'scripted-peer.ts', { seed, frames, from })
    expect(report.sessions, `CONFINE_SOAK_SEED=${seed}`).toBeGreaterThan(frames / 100)
  },
)

test.concurrent(`${frames} hostile frames that confined guests make and write, and all ends there are`, { timeout }, async (context) => {
  const directory = temporaryDirectory(context)
  const report = await run(context, 'hostile-guests.ts', { seed, frames, directory })
  expect(report.read, `CONFINE_SOAK_SEED=${seed}`).toBeGreaterThanOrEqual(frames)
  expect(commandLines().filter((line) => line.includes(directory))).toEqual([])
})

test.concurrent(`${frames / 4} hostile frames of the host for the entry program of guests`, { timeout }, async (context) => {
  const directory = temporaryDirectory(context)
  const report = await run(context, 'scripted-host.ts', { seed, frames: frames / 4, directory })
  // Of a guest that is told to hold no more than 384 MiB.
  expect(report.mostMiB, `CONFINE_SOAK_SEED=${seed}`).toBeLessThan(600)
  expect(commandLines().filter((line) => line.includes(directory))).toEqual([])
})

test.concurrent(`${frames / 250} messages, true and hostile, at every moment of the life of a guest`, { timeout }, async (context) => {
  const directory = temporaryDirectory(context)
  const report = await run(context, 'hostile-starts.ts', { seed, frames: frames / 250, directory })
  // Some come to their end by every way there is.
  expect(Object.keys(report.kinds as object), `CONFINE_SOAK_SEED=${seed}`).toEqual(
    expect.arrayContaining(['protocol', 'exited', 'signaled']),
  )
  expect(commandLines().filter((line) => line.includes(directory))).toEqual([])
})

/** Runs a program of frames/, and checks what holds for each of them. */
async function run({ onTestFinished }: TestContext, program: string, task: Task): Promise<Report> {
  const flags = ['--conditions=@confine/source', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'frames', program), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let told = ''
  let complained = ''
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
  const how = await new Promise<string>((resolve) =>
    child.once('close', (code, signal) => resolve(code === 0 ? 'went well' : `ended with ${code ?? signal}`)),
  )
  console.log(`${program} ${task.from ?? ''}: CONFINE_SOAK_SEED=${seed} ${told.trim()}`)
  expect(`${how} ${complained}`, `CONFINE_SOAK_SEED=${seed}`).toBe('went well ')
  const report = JSON.parse(told) as Report
  const { heapMiB, worstMs } = report
  expect(report.frames).toBeGreaterThanOrEqual(task.frames)
  expect(worstMs, `CONFINE_SOAK_SEED=${seed}`).toBeLessThan(250)
  const [first = 0, second = first] = heapMiB
  const early = heapMiB.length > 2 ? second : first
  expect((heapMiB.at(-1) as number) - early, `CONFINE_SOAK_SEED=${seed}: ${heapMiB.join(' ')}`).toBeLessThan(16)
  return report
}

function temporaryDirectory({ onTestFinished }: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-soak-frames-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  // A confined guest is nobody: it could not enter a directory that is its owner's alone.
  chmodSync(directory, 0o755)
  return directory
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
}
