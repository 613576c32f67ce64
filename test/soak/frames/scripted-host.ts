import { spawn } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { guestEntry } from '../../../packages/guest/src/index.ts'
import { FrameDecoder } from '../../../packages/ipc/src/frame.ts'
import { defaultLimits } from '../../../packages/ipc/src/limits.ts'
import { type Message, MessageCodec } from '../../../packages/ipc/src/message.ts'
import { HostileFrames, Random } from './bend.ts'
import { originals } from './corpus.ts'
import { heapMiB, reported, task } from './report.ts'

// Hostile frames for the entry program of real guests. A guest trusts its host, so none is harmed by ending; it must end as it does
// when the channel closes, and say nothing on stderr.

const framesOfAGuest = 10_000
const { seed, frames, directory = '' } = task()
const random = new Random(seed)
const source = new HostileFrames(originals('host'), random)
const codec = new MessageCodec(defaultLimits, { errorStacks: false })
let guests = 0
let answers = 0
let mostMiB = 0

/** What an honest host says first: a container, and a call whose answer gives functions and streams away. */
const firstWords: readonly Message[] = [
  { type: 'request', id: 1, cid: 0, method: 'exec', params: [{ cid: 1, source: '', options: {}, functions: ['f'], values: [] }] },
  ...[2, 3, 4].map((id): Message => ({ type: 'request', id, cid: 1, method: 'give', params: [] })),
]

async function life(): Promise<void> {
  guests++
  const settings = { runtime: join(directory, 'runtime.cjs'), maxContainers: 1000 }
  const child = spawn(process.execPath, ['--max-old-space-size=384', guestEntry, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {},
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdout?.resume()
  const channel = child.stdio[3] as Duplex
  const gone = once(child, 'exit')
  // It may be gone while it is written to.
  channel.on('error', () => {})
  let heard = 0
  const decoder = new FrameDecoder(defaultLimits.maxMessageBytes, {
    message() {
      heard++
      return true
    },
    attachment: () => true,
  })
  channel.on('data', (chunk: Buffer) => decoder.push(chunk))
  const closed = new Promise((resolve) => channel.once('close', resolve))
  // It says first that it is ready.
  for (const [index, message] of firstWords.entries()) {
    channel.write(framed(codec.encode(message)))
    while (heard < index + 2) {
      await Promise.race([once(channel, 'data'), closed])
      if (channel.destroyed) throw new Error(`A guest did not start: ${said}`)
    }
  }
  const say = async (count: number, make: () => Buffer) => {
    for (let left = count; left > 0 && !channel.destroyed; left -= batchFrames) {
      const batch = Buffer.concat(Array.from({ length: Math.min(left, batchFrames) }, make))
      if (!channel.write(batch)) await Promise.race([once(channel, 'drain').catch(() => {}), closed])
    }
  }
  await say(framesOfAGuest, () => source.soft())
  mostMiB = Math.max(mostMiB, peakMiB(child.pid as number))
  await say(1000, () => source.wild())
  // What it still has to say is heard; then the channel ends, should it have survived all that.
  channel.end()
  const [code, signal] = (await gone) as [number | null, string | null]
  answers += heard
  if (code !== 0) throw new Error(`A guest ended with ${String(code ?? signal)}: ${said}`)
  if (said !== '') throw new Error(`A guest wrote to stderr: ${said}`)
}

function framed(body: Uint8Array): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt32LE(body.length, 0)
  return Buffer.concat([header, body])
}

/** The most memory that a process ever held; 0 when it is gone. */
function peakMiB(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

const batchFrames = 64

await reported(async () => {
  writeFileSync(join(directory, 'tempers.mjs'), stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'tempers.ts'), 'utf8')))
  copyFileSync(join(import.meta.dirname, 'patient-guest.cjs'), join(directory, 'runtime.cjs'))
  await life()
  const heaps = [await heapMiB()]
  while (source.made < frames) await Promise.all([life(), life()])
  heaps.push(await heapMiB())
  return { frames: source.made, guests, answers, mostMiB: Math.round(mostMiB), worstMs: 0, heapMiB: heaps, cpuS: 0 }
})
