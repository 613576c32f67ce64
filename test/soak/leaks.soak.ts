import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { root } from '../packages.ts'

// Many calls at once and many containers in a row, in rounds: after each round as much must be held as after the one before.

const { callContext, Sandbox } = (await import(
  join(root, 'packages/confine-sandbox/dist/index.js')
)) as typeof import('../../packages/confine-sandbox/src/index.ts')

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const rounds = 10
const callsAtOnce = 10_000
const containersInARound = 100
/** What the heap may grow from the third round, when everything is warm, to the last. */
const growthMiB = 1

interface Held {
  readonly descriptors: number
  readonly resources: number
  readonly listeners: number
  readonly heapMiB: number
}

const descriptors = () => readdirSync('/proc/self/fd').length
const resources = () => process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length

/** What is held now; what is about to be given back, compared with the round before, is waited for. */
async function held(sbx: InstanceType<typeof Sandbox>, before: Held | undefined): Promise<Held> {
  for (let i = 0; i < 500 && before !== undefined && (descriptors() > before.descriptors || resources() > before.resources); i++)
    await delay(20)
  // What is freed a turn later, and by a second collection.
  for (let i = 0; i < 3; i++) {
    await delay(20)
    gc()
  }
  const listeners = [sbx, process, process.stdout].reduce(
    (sum, each) => sum + each.eventNames().reduce((n, name) => n + each.listenerCount(name as never), 0),
    0,
  )
  return {
    descriptors: descriptors(),
    resources: resources(),
    listeners,
    heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
  }
}

/** vitest keeps what `expect().rejects` was given. */
async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

function expectFlat(all: readonly Held[]): void {
  const [warm, last] = [all[2], all.at(-1)] as [Held, Held]
  console.table(all)
  expect({ ...last, heapMiB: 0 }).toEqual({ ...warm, heapMiB: 0 })
  expect(last.heapMiB - warm.heapMiB).toBeLessThan(growthMiB)
}

test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('%s: 10,000 calls at once, ten times', async (runtime) => {
  let underWay = 0
  const half = async (n: number) => {
    underWay++
    await delay(1, undefined, { signal: callContext()?.signal as AbortSignal })
    underWay--
    return n / 2
  }
  await using sbx = new Sandbox({ runtime, globals: { half }, timeoutMs: 100_000 })
  const container = await sbx.execContainer({ source: 'exports.twice = async (n) => 4 * await half(n); exports.id = (n) => n' })
  const all: Held[] = []
  for (let round = 0; round < rounds; round++) {
    const name = round % 2 === 0 ? 'twice' : 'id'
    const controller = new AbortController()
    const given = await Promise.all(
      Array.from({ length: callsAtOnce }, (_, n) => container.call(name, [n], { signal: n % 10 === 0 ? controller.signal : undefined })),
    )
    expect(given.every((value, n) => value === (name === 'twice' ? 2 * n : n))).toBe(true)
    expect(underWay).toBe(0)
    all.push(await held(sbx, all.at(-1)))
  }
  expectFlat(all)
})

test('jsisolate: 1,000 containers opened, called and closed, in one guest', async () => {
  await using sbx = new Sandbox({
    runtime: 'jsisolate-confine-runtime',
    globals: { never: () => new Promise(() => {}) },
    limits: { memoryMiB: 4096 },
  })
  sbx.on('console', () => {})
  const all: Held[] = []
  for (let round = 0; round < rounds; round++) {
    for (let batch = 0; batch < containersInARound / 10; batch++) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, n) => {
          const container = await sbx.execContainer({
            source: 'console.log("loaded"); exports.one = () => 1; exports.wait = () => never()',
            idleTimeoutMs: 60_000,
          })
          expect(await container.api.one()).toBe(1)
          // Every way to end one.
          if (n % 3 === 0) {
            expect(await codeOf(container.call('wait', [], { timeoutMs: 1 }))).toBe('ERR_CONFINE_TIMEOUT')
          } else if (n % 3 === 1) {
            const waiting = codeOf(container.call('wait'))
            await container.close()
            expect(await waiting).toBe('ERR_CONFINE_CONTAINER_CLOSED')
          } else await container.close()
          await container.closed
        }),
      )
    }
    all.push(await held(sbx, all.at(-1)))
  }
  expect(await sbx.listContainers()).toEqual([])
  expect(sbx.isGuestProcessActive).toBe(true)
  expectFlat(all)
})

test('jseval: 40 sandboxes opened, called and torn down', async () => {
  const all: Held[] = []
  for (let round = 0; round < rounds; round++) {
    let last: InstanceType<typeof Sandbox> | undefined
    for (let i = 0; i < 2; i++) {
      await Promise.all(
        [1, 2].map(async () => {
          const sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
          last = sbx
          const container = await sbx.execContainer({ source: 'exports.one = () => 1; exports.loop = () => { for (;;); }' })
          expect(await container.api.one()).toBe(1)
          if (i % 2 === 0) expect(await codeOf(container.call('loop', [], { timeoutMs: 5 }))).toBe('ERR_CONFINE_TIMEOUT')
          await sbx.teardown()
        }),
      )
    }
    all.push(await held(last as InstanceType<typeof Sandbox>, all.at(-1)))
  }
  expectFlat(all)
})
