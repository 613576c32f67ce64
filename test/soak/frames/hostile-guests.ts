import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfineError } from '../../../packages/contract/src/index.ts'
import { Sandbox as CoreSandbox, resolveRuntime } from '../../../packages/core/src/index.ts'
import { MessageCodec } from '../../../packages/ipc/src/message.ts'
import { Sandbox } from '../../../packages/confine-sandbox/src/index.ts'
import { Random } from './bend.ts'
import { originals } from './corpus.ts'
import { heapMiB, reported, task, threadMs } from './report.ts'
import { answer, many, tempers } from './tempers.ts'

// Hostile frames that real guests make and write. Some guests write many, to be read; some write few and end in every way there is.

const framesOfAGuest = 5000
const { seed, frames, directory = '' } = task()
const random = new Random(seed)
const endings = ['live', 'loop', 'exit', 'close', 'kill', 'loud', 'throw', 'abort', 'calls', 'callbacks', 'gives']
const globals = Object.fromEntries(tempers.map((name) => [name, (...params: unknown[]) => answer(name, params)]))
const kinds: Record<string, number> = {}
let guests = 0
let written = 0
let read = 0

const { read: readMessage } = MessageCodec.prototype
MessageCodec.prototype.read = function (...args) {
  read++
  return Reflect.apply(readMessage, this, args)
}

/** One guest, from its launch to its end. */
async function life(isConfined: boolean, ending: string, soft: number, wild: number, patienceMs: number): Promise<void> {
  guests++
  const runtime = resolveRuntime(directory)
  const sbx = isConfined ? new Sandbox({ runtime, globals }) : new CoreSandbox({ runtime, globals, noSandbox: true })
  sbx.stdout.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x2e) written++
  })
  const container = await sbx.execContainer({ source: '' })
  // Functions 1 and 3, streams 2 and 4: numbers that stand in the frames.
  const given = [async () => 1, many(), async () => 1, many()]
  const call = container.call(ending, [{ seed: random.below(2 ** 31), soft, wild }, ...given]).then(
    () => 'answered',
    (error: unknown) => error,
  )
  const outcome = await Promise.race([call, delay(patienceMs, 'waits', { ref: false })])
  const code = await sbx.teardown()
  const settled = await call
  if (settled !== 'answered' && !ConfineError.is(settled)) throw new Error('The call rejected with something else', { cause: settled })
  if (!Number.isInteger(code)) throw new Error(`No exit code: ${String(code)}`)
  const kind = outcome === 'waits' ? 'torn down' : (sbx.guestEnd?.kind ?? 'none')
  kinds[kind] = (kinds[kind] ?? 0) + 1
}

/** A short one, of any kind. */
function anyLife(): Promise<void> {
  return life(
    random.below(2) === 0,
    random.of(endings),
    random.below(3) * random.below(60),
    random.below(3) * random.below(60),
    random.below(300),
  )
}

await reported(async () => {
  writeFileSync(join(directory, 'bend.mjs'), stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'bend.ts'), 'utf8')))
  copyFileSync(join(import.meta.dirname, 'hostile-guest.cjs'), join(directory, 'runtime.cjs'))
  const data = originals('guest').map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body).toString('base64') }))
  writeFileSync(join(directory, 'originals.json'), JSON.stringify(data))
  writeFileSync(join(directory, 'package.json'), '{ "name": "hostile-guest", "version": "1.0.0", "main": "runtime.cjs" }')
  Error.stackTraceLimit = 0
  await life(false, 'exit', 100, 0, 10_000)
  await life(true, 'exit', 100, 0, 10_000)
  const heaps = [await heapMiB()]
  const descriptors = countDescriptors()
  let worstMs = 0
  let last = threadMs()
  const clock = setInterval(() => {
    worstMs = Math.max(worstMs, threadMs() - last)
    last = threadMs()
  }, 5)
  const longLives = async () => {
    while (written < frames || read < frames) {
      if (guests > 100 + frames / 500) throw new Error(`${guests} guests wrote ${written} frames, of which ${read} were read`)
      await life(true, 'live', framesOfAGuest, 200, 60_000)
    }
  }
  const shortLives = async () => {
    for (let i = 0; i < 30; i++) await anyLife()
  }
  await Promise.all([shortLives(), shortLives(), shortLives()])
  // What they called is not counted: some call without end.
  written = 0
  read = 0
  await Promise.all([longLives(), longLives()])
  await delay(1500)
  clearInterval(clock)
  // Timers of guests that are gone run for some seconds more, and hold what they were for.
  let heap = await heapMiB()
  for (let i = 0; i < 20 && heap > (heaps[0] as number) + 8; i++) {
    await delay(1500)
    heap = await heapMiB()
  }
  heaps.push(heap)
  const left = countDescriptors() - descriptors
  if (left > 0) throw new Error(`${left} descriptors were left open`)
  return { frames: written, read, guests, kinds, worstMs, heapMiB: heaps, cpuS: Math.round(threadMs() / 100) / 10 }
})

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}
