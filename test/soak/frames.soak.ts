import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, Readable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { RemoteStream } from '../../packages/contract/src/index.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IncomingCall, Peer, streamChannel } from '../../packages/ipc/src/index.ts'
import { root } from '../packages.ts'
import { HostileFrames, Random } from './mutations.ts'

// Bytes of an enemy, in both directions: first against the two peers in this process, at full speed, then from real guests.
// Stalls are measured in CPU time of this thread: the machine may be busy with others.

const frames = Number(process.env.CONFINE_SOAK_FRAMES ?? 1_000_000)
const guests = Number(process.env.CONFINE_SOAK_GUESTS ?? 300)
const seed = Number(process.env.CONFINE_SOAK_SEED ?? 1)
const rounds = 10
const longestStallMs = 250

const rejections: unknown[] = []
const keepRejection = (reason: unknown) => rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', keepRejection))
afterAll(() => void process.off('unhandledRejection', keepRejection))

test.each([
  ['guest', 'host', { pauseReadingAboveBytes: 1024 * 1024 }, false],
  ['host', 'guest', {}, true],
])(`${frames / 2} hostile frames of the %s against the %s's peer`, { timeout: 30 * 60_000 }, async (_from, to, options, errorStacks) => {
  const random = new Random(seed)
  const source = new HostileFrames(random)
  const heaps: number[] = []
  let session = new Session(options, errorStacks)
  let sessions = 1
  let worstMs = 0
  const started = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < frames / 2 / rounds; i++) {
      if (session.isOver) {
        session = new Session(options, errorStacks)
        sessions++
      }
      worstMs = Math.max(worstMs, session.push(source.next(), random))
      // What host functions answer is sent between two frames, too.
      if (i % 64 === 0) await nextTurn()
    }
    heaps.push(await heapMiB())
  }
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${to}: ${Math.round(frames / 2 / seconds)} frames/s, ${sessions} sessions, longest push ${worstMs.toFixed(1)} ms CPU, heap MiB ${heaps.map((heap) => heap.toFixed(1)).join(' ')}`,
  )
  expect(sessions).toBeGreaterThan(frames / 100)
  expect(worstMs).toBeLessThan(longestStallMs)
  expect(Math.abs((heaps.at(-1) as number) - (heaps[1] as number))).toBeLessThan(8)
  expect(rejections).toEqual([])
})

/** A peer over a stream whose bytes come from a script. Calls of its own wait for answers, so that answers are heard. */
class Session {
  isOver = false
  readonly #stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  readonly #peer: Peer

  constructor(options: { pauseReadingAboveBytes?: number }, errorStacks: boolean) {
    let closes = 0
    this.#peer = new Peer({
      channel: streamChannel(this.#stream, options),
      errorStacks,
      request: answer,
      notify: (_cid, method, params) => {
        if (method === 'failed') throw new TypeError(`refused: ${String(params.length)}`)
      },
      closed: (error) => {
        expect(++closes).toBe(1)
        if (error !== undefined) expect(error).toMatchObject({ name: 'ConfineError' })
        this.isOver = true
        this.#peer.close(error ?? new Error('the stream ended'))
      },
      reviveError: ({ message }) => new Error(message),
    })
    for (const cid of [1, 2]) this.#peer.openScope(cid)
    // It gives out functions 1 and 3 and streams 2 and 4, and takes whatever comes back for functions and streams of the enemy's.
    for (let id = 1; id <= 8; id++) {
      const params = id > 2 ? [] : [async () => 1, many()]
      this.#peer.request(1, 'wait', params).then(use, () => {})
    }
  }

  /** Returns the CPU time that it took, milliseconds. */
  push(frame: Buffer, random: Random): number {
    const before = process.threadCpuUsage()
    const cut = random.below(4) === 0 ? random.below(frame.length) : 0
    for (const chunk of [frame.subarray(0, cut), frame.subarray(cut)]) {
      if (chunk.length > 0 && !this.isOver) this.#stream.emit('data', chunk)
    }
    if (random.below(500) === 0) this.#stream.push(null)
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  }
}

async function* many() {
  for (let i = 0; i < 1000; i++) yield 'x'.repeat(500)
}

/** A program that calls and iterates what it is given. Each part once: what shares its parts may be endless when it is followed. */
async function use(value: unknown, seen = new Set<unknown>()): Promise<void> {
  if (((typeof value !== 'object' || value === null) && typeof value !== 'function') || seen.has(value)) return
  seen.add(value)
  if (typeof value === 'function') void value(1, () => {})
  else if (value instanceof Map) await use([...value.keys(), ...value.values()], seen)
  else if (Array.isArray(value)) for (const item of value) await use(item, seen)
  else if (Symbol.asyncIterator in value) {
    const items = value as RemoteStream
    for (let i = 0; i < 100; i++) void items.next().catch(() => {})
    if (Object.is(await items.next().catch(() => 0), 0)) await items.return()
  } else if ('deep' in value) await use(value.deep, seen)
}

/** Functions of every temper. */
function answer({ method, params }: IncomingCall): unknown {
  switch (method) {
    case 'give':
      return [() => params, Readable.from([1, 2, 3])]
    case 'take':
      void use(params)
      return params
    case 'iterate':
      void use(params[0])
      return undefined
    case 'echo':
      return params
    case 'wait':
      return new Promise(() => {})
    case 'fail':
      return Promise.reject(params[0])
    case 'odd':
      return Object.defineProperty({}, 'then', {
        get: () => {
          throw params[0]
        },
      })
    default:
      throw new RangeError(method)
  }
}

const { Sandbox: CoreSandbox, resolveRuntime } = await import('../../packages/core/src/index.ts')
const { Sandbox } = (await import(join(root, 'packages/confine-sandbox/dist/index.js'))) as {
  Sandbox: new (options: object) => InstanceType<typeof CoreSandbox>
}

let directory: string
let runtime: string

beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-soak-frames-')))
  // A confined guest is nobody: it could not enter a directory that is its owner's alone.
  chmodSync(directory, 0o755)
  runtime = directory
  writeFileSync(join(directory, 'runtime.cjs'), hostileRuntime)
  writeFileSync(join(directory, 'package.json'), '{ "name": "hostile-runtime", "version": "1.0.0", "main": "runtime.cjs" }')
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** It writes what it is told to descriptor 3, behind the back of the guest's entry program, and then ends or goes on as told. */
const hostileRuntime = `
  const fs = require('node:fs')
  const { EventEmitter } = require('node:events')
  const ends = {
    live() {}, loop() { for (;;); }, exit() { process.exit(7) }, close() { fs.closeSync(3) }, kill() { process.kill(process.pid, 'SIGKILL') },
    loud() { setInterval(() => { try { fs.writeSync(1, 'x'.repeat(65536)) } catch {} }) },
    throw() { setTimeout(() => { throw new Error('late') }) },
    abort() { process.abort() },
    callbacks() { const flood = () => { for (let i = 0; i < 100; i++) globals.take([() => 1, (async function* () { yield 1 })()]).catch(() => {}); setImmediate(flood) }; flood() },
    gives() { const flood = () => { for (let i = 0; i < 100; i++) globals.give().catch(() => {}); setImmediate(flood) }; flood() },
    calls() { const flood = () => { for (let i = 0; i < 500; i++) globals.f(i).catch(() => {}); setImmediate(flood) }; flood() },
  }
  let globals
  module.exports = class extends EventEmitter {
    constructor(opts) { super(); globals = opts.globals }
    async init() {} async run() {} async close() {}
    async handleAPICall(end, [chunks]) {
      for (const chunk of chunks) {
        for (let sent = 0; sent < chunk.length; ) try { sent += fs.writeSync(3, chunk, sent) } catch (error) { if (error.code !== 'EAGAIN') return }
      }
      ends[end]()
      return await globals.slow()
    }
  }`
const endings = ['live', 'loop', 'exit', 'close', 'kill', 'loud', 'throw', 'abort', 'calls', 'callbacks', 'gives']

test(`${guests} real guests that write hostile bytes, unconfined and confined`, { timeout: 30 * 60_000 }, async () => {
  const random = new Random(seed)
  const source = new HostileFrames(random)
  const kinds: Record<string, number> = {}
  const stalls = watchStalls()
  const life = async (isConfined: boolean) => {
    const globals = { f: (n: unknown) => n, slow: () => new Promise(() => {}), take: use, give: () => [() => 1, Readable.from([1, 2, 3])] }
    const sbx = isConfined
      ? new Sandbox({ runtime, globals })
      : new CoreSandbox({ runtime: resolveRuntime(runtime), globals, noSandbox: true })
    const container = await sbx.execContainer({ source: '' })
    const chunks = Array.from({ length: random.below(3) * random.below(60) }, () => source.next())
    const call = container.call(random.of(endings), [chunks]).then(
      () => 'answered',
      (error) => error,
    )
    const outcome = await Promise.race([call, delay(random.below(300), 'waits', { ref: false })])
    const code = await sbx.teardown()
    const settled = await call
    if (settled !== 'answered') expect(settled).toMatchObject({ name: 'ConfineError', code: expect.stringMatching(/^ERR_CONFINE_/) })
    expect(code).toBeTypeOf('number')
    const kind = outcome === 'waits' ? 'torn down' : (sbx.guestEnd?.kind ?? 'none')
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  await life(false)
  await life(true)
  const descriptors = countDescriptors()
  const heapBefore = await heapMiB()
  let next = 0
  const worker = async () => {
    while (next < guests) await life(next++ % 2 === 0)
  }
  await Promise.all([worker(), worker(), worker()])
  await delay(1500)
  const worstMs = stalls.stop()
  const heapAfter = await heapMiB()
  console.log(
    `guests: ${JSON.stringify(kinds)}, longest stall ${worstMs.toFixed(1)} ms CPU, heap MiB ${heapBefore.toFixed(1)} ${heapAfter.toFixed(1)}`,
  )
  expect(worstMs).toBeLessThan(longestStallMs)
  expect(rejections).toEqual([])
  expect(countDescriptors()).toBe(descriptors)
  expect(heapAfter - heapBefore).toBeLessThan(16)
  expect(commandLines().filter((line) => line.includes(runtime))).toEqual([])
})

/** The most CPU time that this thread used between two turns of a timer. */
function watchStalls() {
  let worstMs = 0
  let last = process.threadCpuUsage()
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(last)
    last = process.threadCpuUsage()
    worstMs = Math.max(worstMs, (user + system) / 1000)
  }, 5)
  return {
    stop: () => {
      clearInterval(timer)
      return worstMs
    },
  }
}

async function heapMiB(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Buffers are released behind the collection, and may free more.
  for (let i = 0; i < 3; i++) {
    collect()
    await delay(20)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1024 / 1024
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length
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
