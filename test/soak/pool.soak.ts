import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CoreSandboxOptions, Sandbox } from '../../packages/core/src/index.ts'
import { root } from '../packages.ts'
import { Random } from './frames/bend.ts'

// Pools whose guests die at any moment, under claims that are aborted, late, given back in every way, and under an end of the pool itself. Every claim
// is answered, once, and nothing is left.

const { SandboxPool, resolveRuntime } = (await import(
  join(root, 'packages/core/dist/index.js')
)) as typeof import('../../packages/core/src/index.ts')

const claimsOfAPool = 150
const source = 'exports.add = (a, b) => a + b'
const random = new Random(Number(process.env.CONFINE_SOAK_SEED ?? Date.now() % 2 ** 31))
const alive = new Set<Sandbox>()

class WatchedPool extends SandboxPool {
  protected override makeSandbox(options: CoreSandboxOptions): Sandbox {
    const sandbox = super.makeSandbox(options)
    alive.add(sandbox)
    void sandbox.whenGuestProcessClosed.then(() => alive.delete(sandbox))
    return sandbox
  }
}

test('claims of pools whose guests are killed at random are all answered, once', async () => {
  const rejections: unknown[] = []
  const unhandled = (reason: unknown) => rejections.push(reason)
  process.on('unhandledRejection', unhandled)
  await life('claims')
  const before = held()
  for (const end of ['claims', 'drain', 'close', 'drain', 'close']) await life(end)
  // A handle is closed a turn or so after its process.
  for (let i = 0; i < 500 && leftSince(before).length > 0; i++) await delay(20)
  process.off('unhandledRejection', unhandled)
  expect(leftSince(before)).toEqual([])
  expect(rejections).toEqual([])
})

/** One pool, from its first launch to its end. */
async function life(end: string): Promise<void> {
  const pool = new WatchedPool({
    // About the host's side: no isolation, and starts that cost little.
    runtime: resolveRuntime(join(root, 'packages/core/test/fixtures/plain-runtime')),
    noSandbox: true,
    min: random.below(3),
    max: 3 + random.below(2),
    maxUses: 1 + random.below(30),
    maxContainers: 10,
    maxWaiting: 50 + random.below(100),
    maxAgeMs: random.of([Infinity, 300]),
  })
  let isOver = false
  const killing = (async () => {
    while (!isOver) {
      await delay(20 + random.below(100))
      if (alive.size > 0) random.of([...alive]).guestProcess?.kill('SIGKILL')
    }
  })()
  const given = new Set<Sandbox>()
  const claims: Promise<string>[] = []
  for (let i = 0; i < claimsOfAPool; i++) {
    claims.push(claim(pool, given))
    if (random.below(3) === 0) await delay(random.below(30))
  }
  if (end === 'claims') await Promise.all(claims)
  await (end === 'close' ? pool.close() : pool.drain())
  const answers = await Promise.all(claims)
  isOver = true
  await killing
  if (end !== 'close') expect(answers).toContain('given')
  expect(pool.stats).toEqual({ warm: 0, launching: 0, claimed: 0, kept: 0, waiting: 0 })
  expect(alive.size).toBe(0)
}

/** Claims a guest, uses it, and gives it back in one of all ways. */
async function claim(pool: WatchedPool, given: Set<Sandbox>): Promise<string> {
  const signal = random.below(6) === 0 ? AbortSignal.timeout(1 + random.below(200)) : undefined
  const tenant = random.of([undefined, 'ann', 'bob', 'cid'])
  let sandbox: Sandbox
  try {
    sandbox = await pool.claim({ tenant, signal, timeoutMs: random.of([10, 500, 60_000]) })
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfineError' })
    return 'refused'
  }
  expect(given.has(sandbox)).toBe(false)
  given.add(sandbox)
  try {
    const container = await sandbox.execContainer({ source })
    expect(await container.call('add', [1, 2])).toBe(3)
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfineError' })
  }
  given.delete(sandbox)
  const way = random.below(4)
  if (way === 0) await sandbox.teardown()
  else {
    if (way === 1) sandbox.guestProcess?.kill('SIGKILL')
    await pool.release(sandbox)
  }
  return 'given'
}

function leftSince(before: Record<string, number>): unknown[] {
  return Object.entries(held()).filter(([name, count]) => count > (before[name] ?? 0))
}

function held(): Record<string, number> {
  const resources = process.getActiveResourcesInfo()
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    timers: resources.filter((name) => name === 'Timeout').length,
    others: resources.filter((name) => name !== 'Timeout').length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name as never), 0),
  }
}
