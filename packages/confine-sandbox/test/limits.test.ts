import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GuestEnd, Sandbox, type SandboxConstructorOpts } from '../src/index.ts'
import { memoryPrograms } from './memory-programs.ts'

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']
const ended = { code: 'ERR_CONFINE_GUEST_ENDED' }

interface Outcome {
  readonly result?: unknown
  readonly error?: { readonly code?: string }
  readonly end: GuestEnd
}

/** Runs one function of one program, to the end of its process. */
async function outcomeOf(options: SandboxConstructorOpts, source: string, call: string, params: unknown[] = []): Promise<Outcome> {
  await using sbx = new Sandbox(options)
  const attempt = async () => await (await sbx.execContainer({ source, env: 'nodejs' })).call(call, params)
  const outcome = await attempt().then(
    (result: unknown) => ({ result }),
    (error: { code?: string }) => ({ error }),
  )
  await sbx.teardown()
  return { ...outcome, end: sbx.guestEnd as GuestEnd }
}

const usage = { cpuMs: expect.any(Number), wallMs: expect.any(Number), peakMemoryMiB: expect.any(Number) }
/** What this process holds that is not to be collected. */
function heldMiB(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / (1 << 20)
}

let heldBefore: number
beforeAll(() => {
  heldBefore = heldMiB()
})
afterAll(() => {
  // What the guests have filled was never the host's.
  expect(heldMiB() - heldBefore).toBeLessThan(100)
})

describe.each(memoryPrograms.flatMap(({ runtimes, ...program }) => runtimes.map((runtime) => ({ runtime, ...program }))))(
  'memoryMiB: $of with $runtime',
  ({ runtime, source }) => {
    test('can be filled without the limit', async () => {
      const outcome = await outcomeOf({ runtime, limits: { memoryMiB: Number.POSITIVE_INFINITY } }, source, 'fill', [100])
      expect(outcome).toMatchObject({ result: 100, end: { kind: 'signaled', signal: 'SIGTERM', usage } })
      expect(outcome.end.usage?.peakMemoryMiB).toBeGreaterThan(130)
    })

    test('do not get past it', async () => {
      const { result, error, end } = await outcomeOf({ runtime, limits: { memoryMiB: 64 } }, source, 'fill', [4000])
      expect(result).toBeUndefined()
      // What cannot be allocated is an error for a program that minds, and the end otherwise.
      if (error?.code === 'ERR_CONFINE_GUEST_THREW') expect(end).toMatchObject({ kind: 'signaled', usage })
      else expect({ error, end }).toMatchObject({ error: ended, end: { kind: 'memory', usage } })
      // What node holds before the first program of the guest is on top, and differs between sources and builds.
      expect(end.usage?.peakMemoryMiB).toBeLessThan(64 + 120 + 40)
    })
  },
)

describe.each(runtimes)('with %s', (runtime) => {
  test('cpuSeconds ends a loop, and counts no waiting', async () => {
    const source = `
      exports.spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); return 'done' }
      exports.rest = () => new Promise(() => {})`
    const [spun, rested, stopped] = await Promise.all([
      outcomeOf({ runtime }, source, 'spin', [1100]),
      outcomeOf({ runtime, limits: { cpuSeconds: 1, lifeMs: 4000 } }, source, 'rest'),
      outcomeOf({ runtime, limits: { cpuSeconds: 1 } }, source, 'spin', [60_000]),
    ])
    expect(spun).toMatchObject({ result: 'done', end: { kind: 'signaled', usage } })
    expect(rested).toMatchObject({
      error: { code: 'ERR_CONFINE_TIMEOUT' },
      end: { kind: 'timeout', what: 'its life', timeoutMs: 4000, usage },
    })
    expect(stopped).toMatchObject({ error: ended, end: { kind: 'cpu', usage } })
    expect(stopped.end.usage?.cpuMs).toBeGreaterThan(750)
    expect(stopped.end.usage?.cpuMs).toBeLessThan(2500)
  })
})

describe('with jseval-confine-runtime', () => {
  const runtime = 'jseval-confine-runtime'

  test('outputMiB ends a guest that writes more', async () => {
    const source = `exports.write = (n) => new Promise((done) => process.stdout.write('x'.repeat(n), () => done('written')))`
    expect(await outcomeOf({ runtime }, source, 'write', [4 << 20])).toMatchObject({ result: 'written', end: { kind: 'signaled' } })
    const stopped = await outcomeOf({ runtime, limits: { outputMiB: 1 } }, source, 'write', [4 << 20])
    expect(stopped).toMatchObject({ error: ended, end: { kind: 'output', outputMiB: 1, usage } })
  })

  test('threads leaves enough to work, also where it is as low as it can be', async () => {
    const source = `exports.work = async () => {
      const { pbkdf2 } = require('crypto')
      await Promise.all(Array.from({ length: 20 }, () => new Promise((done) => pbkdf2('a', 'b', 1, 8, 'sha512', done))))
      return 'worked'
    }`
    expect(await outcomeOf({ runtime, limits: { threads: 16 } }, source, 'work')).toMatchObject({ result: 'worked' })
  })

  test('a bomb of threads starts none', async () => {
    const source = `exports.start = () => {
      const { Worker } = require('worker_threads')
      let started = 0
      try {
        while (started < 4) if (new Worker('setInterval(() => {}, 1000)', { eval: true })) started++
      } catch (error) {
        return [started, error.code]
      }
      return [started]
    }`
    expect(await outcomeOf({ runtime, noSandbox: true }, source, 'start')).toMatchObject({ result: [4] })
    expect(await outcomeOf({ runtime, onViolation: 'deny' }, source, 'start')).toMatchObject({ result: [0, 'ERR_WORKER_INIT_FAILED'] })
  })
})

test('a flood of violations is told in part and by its number, and the host goes on', async () => {
  const count = 20_000
  const began = performance.now()
  await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime', onViolation: 'deny' })
  let [told, dropped, reports] = [0, 0, 0]
  sbx.on('violation', () => told++)
  sbx.on('violations-dropped', (event) => {
    dropped += event.count
    reports++
  })
  const source = `exports.flood = (n) => { const fs = require('fs'); for (let i = 0; i < n; i++) try { fs.rmdirSync('/x') } catch {}; return n }`
  const container = await sbx.execContainer({ source, env: 'nodejs' })
  expect(await container.call('flood', [count])).toBe(count)
  await sbx.teardown()
  expect(told + dropped).toBe(count)
  expect(told).toBeGreaterThan(1000)
  // What the supervisor tells: a thousand at once, and 256 a second.
  expect(told).toBeLessThan(1024 + (256 * (performance.now() - began)) / 1000)
  expect(reports).toBeLessThan(1000)
})

test.runIf(process.getuid?.() === 0)('they hold for an unprivileged user, too', async () => {
  const program = `
    import { Sandbox } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    import { memoryPrograms } from ${JSON.stringify(new URL('memory-programs.ts', import.meta.url).href)}
    // In 10 ms, and some more when others have the processor. With the other runtime the kernel holds it to the page.
    const filledBetweenLooks = 160
    const spin = 'exports.fill = () => { for (;;); }'
    const kinds = []
    // One after the other: where the supervisor's looks alone hold the memory, ten that fill it at once keep it from looking.
    for (const [runtime, source, limits] of [
      ...memoryPrograms.flatMap(({ source, runtimes }) => runtimes.map((runtime) => [runtime, source, { memoryMiB: 64 }])),
      ...${JSON.stringify(runtimes)}.map((runtime) => [runtime, spin, { cpuSeconds: 1 }]),
    ]) {
      const sbx = new Sandbox({ runtime, limits })
      const container = await sbx.execContainer({ source, env: 'nodejs' })
      const { code } = await container.call('fill', [4000]).catch((error) => error)
      await sbx.teardown()
      const { cpuMs, peakMemoryMiB } = sbx.guestEnd.usage
      const mostMiB = runtime === 'jsisolate-confine-runtime' ? filledBetweenLooks + 224 : 224
      kinds.push([code === 'ERR_CONFINE_GUEST_THREW' ? 'memory' : sbx.guestEnd.kind, cpuMs > 0, peakMemoryMiB < mostMiB])
    }
    console.log(JSON.stringify(kinds))`
  const node = [process.execPath, '--conditions=@confine/source', '--no-node-snapshot', '--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...node])
  const kinds = JSON.parse(stdout)
  expect(kinds).toEqual([...new Array(kinds.length - 2).fill(['memory', true, true]), ['cpu', true, true], ['cpu', true, true]])
})

test('openFiles: a guest with files opens as many as it may, Node’s own included, and lives on', async () => {
  const source = `exports.open = () => {
    const fs = require('node:fs')
    const opened = []
    try { for (;;) opened.push(fs.openSync('/tmp', 'r')) } catch (error) { return [Math.max(...opened), error.code] }
    finally { for (const descriptor of opened) fs.closeSync(descriptor) }
  }`
  const options = { runtime: 'jseval-confine-runtime', policy: { scratchMiB: 1 } }
  const highest = async (openFiles: number | undefined) => (await outcomeOf({ ...options, limits: { openFiles } }, source, 'open')).result
  expect(await highest(undefined)).toEqual([63, 'EMFILE'])
  expect(await highest(32)).toEqual([31, 'EMFILE'])
  expect(await highest(500)).toEqual([499, 'EMFILE'])
})

test('memoryMiB: a container that may not fit is refused, and those that are there go on', async () => {
  await using sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime', limits: { memoryMiB: 128 } })
  const all = await Promise.allSettled(Array.from({ length: 200 }, () => sbx.execContainer({ source: 'exports.add = (a, b) => a + b' })))
  const open = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  expect(open.length).toBeGreaterThanOrEqual(16)
  expect(refused.length).toBeGreaterThan(50)
  for (const error of refused) expect(error).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_LIMIT', message: expect.stringContaining('MiB') })
  expect(await Promise.all(open.map((container) => container.call('add', [1, 2])))).toEqual(open.map(() => 3))
  // Room that was given back is there for as many others, though the process is as large as before.
  const count = open.length
  await Promise.all(open.slice(0, 16).map((container) => container.close()))
  for (let i = 0; i < 16; i++) await sbx.execContainer({ source: 'exports.one = () => 1' })
  expect((await sbx.listContainers()).length).toBe(count)
})
