import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a program of this directory is told, as JSON on its command line. */
export interface Task {
  readonly seed: number
  /** How many frames, at least. */
  readonly frames: number
  /** Of the scripted peer: who sends. */
  readonly from?: 'guest' | 'host'
  /** A directory for what the program writes. */
  readonly directory?: string
}

/** What it found. */
export type Report = Readonly<Record<string, unknown>> & {
  readonly frames: number
  readonly heapMiB: readonly number[]
  readonly worstMs: number
}

/** What this process is to do. */
export function task(): Task {
  return JSON.parse(process.argv[2] as string) as Task
}

/** Fails this process for what nobody handles, and reports. */
export async function reported(act: () => Promise<Report>): Promise<void> {
  const rejections: unknown[] = []
  process.on('unhandledRejection', (reason) => rejections.push(reason))
  const report = await act()
  await delay(10)
  if (rejections.length > 0) throw new Error(`${rejections.length} rejections that nobody handled`, { cause: rejections[0] })
  process.stdout.write(`${JSON.stringify(report)}\n`)
}

/** The memory that is held, after all garbage was collected. */
export async function heapMiB(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Buffers are released behind the collection, and may free more.
  for (let i = 0; i < 3; i++) {
    collect()
    await delay(20)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return Math.round(((heapUsed + arrayBuffers) / 1024 / 1024) * 10) / 10
}

/** CPU time of this thread since the start, milliseconds: the machine may be busy with others. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
