import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type CoreSandboxOptions, type CoreSandboxPoolOptions, resolveRuntime, Sandbox, SandboxPool } from '../../src/index.ts'
import { fixture } from '../support.ts'

/** Remembers what it made. These tests are about the host's side: no isolation. */
class WatchedPool extends SandboxPool {
  /** In the order in which they were launched. */
  get made(): Sandbox[] {
    return made.get(this) ?? []
  }

  get alive(): number {
    return this.made.filter(({ isGuestProcessActive }) => isGuestProcessActive).length
  }

  protected override makeSandbox(options: CoreSandboxOptions): Sandbox {
    const sandbox = super.makeSandbox(options)
    made.set(this, [...this.made, sandbox])
    return sandbox
  }
}

const made = new WeakMap<SandboxPool, Sandbox[]>()

function openPool(options: Partial<CoreSandboxPoolOptions> = {}): WatchedPool {
  const pool = new WatchedPool({ runtime: resolveRuntime(fixture('plain-runtime')), noSandbox: true, ...options })
  onTestFinished(() => pool.close())
  return pool
}

const isWarm = (pool: SandboxPool, count: number) => vi.waitUntil(() => pool.stats.warm === count, { timeout: 60_000, interval: 5 })
const source = 'exports.add = (a, b) => a + b; exports.pid = () => process.pid'

test('a claim takes a warm guest, which is replaced', async () => {
  const pool = openPool({ min: 2 })
  await isWarm(pool, 2)
  {
    await using sandbox = await pool.claim()
    expect(pool.stats).toMatchObject({ warm: 1, claimed: 1 })
    expect(pool.made).toContain(sandbox)
    const container = await sandbox.execContainer({ source })
    expect(await container.call('add', [1, 2])).toBe(3)
    await isWarm(pool, 2)
  }
  expect(pool.stats.claimed).toBe(0)
})

test('no guest is given out twice, unless to the tenant that gave it back', async () => {
  const pool = openPool({ min: 1, max: 4, maxUses: 2, maxContainers: 10 })
  const first = await pool.claim({ tenant: 'ann' })
  const container = await first.execContainer({ source })
  await pool.release(first)
  expect(await container.closed).toMatchObject({ exitCode: 0 })
  expect(pool.stats.kept).toBe(1)

  const other = await pool.claim({ tenant: 'bob' })
  const unnamed = await pool.claim()
  expect(new Set([first, other, unnamed]).size).toBe(3)

  const again = await pool.claim({ tenant: 'ann' })
  expect(again).toBe(first)
  await pool.release(again)
  expect(again.isGuestProcessActive).toBe(false)
  expect(await pool.claim({ tenant: 'ann' })).not.toBe(first)

  await pool.release(unnamed)
  expect(unnamed.isGuestProcessActive).toBe(false)
})

test('a guest that is given out again tells its console again, and what is still loading ends with the claim that brought it', async () => {
  const pool = openPool({ min: 0, maxUses: 3, maxContainers: 10 })
  const first = await pool.claim({ tenant: 'ann' })
  first.on('console', () => {})
  await pool.release(first)
  const again = await pool.claim({ tenant: 'ann' })
  expect(again).toBe(first)
  expect(again.listenerCount('console')).toBe(0)
  const told = vi.spyOn(again.ipc!, 'notify')
  again.on('console', () => {})
  expect(told).toHaveBeenCalledWith(0, 'console', [true])

  // Its program would have run on with the globals of the next claim.
  const failed = expect(again.execContainer({ source })).rejects.toMatchObject({ name: 'ConfineError' })
  await pool.release(again)
  await failed
  expect(again.isGuestProcessActive).toBe(false)
  expect(await pool.claim({ tenant: 'ann' })).not.toBe(first)
})

test('what was not claimed here, or was given back, cannot be given back', async () => {
  const pool = openPool({ maxUses: 2, maxContainers: 10 })
  const sandbox = await pool.claim({ tenant: 'ann' })
  await pool.release(sandbox)
  await expect(pool.release(sandbox)).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  await expect(pool.release(new Sandbox({ runtime: sandbox.opts.runtime, noSandbox: true }))).rejects.toMatchObject({
    code: 'ERR_CONFINE_BAD_OPTION',
  })
  const ended = await pool.claim()
  await ended.teardown()
  await pool.release(ended)
})

test('a guest that is too old, or holds too much, is not kept', async () => {
  const old = openPool({ maxUses: 9, maxContainers: 10, maxAgeMs: 1 })
  const large = openPool({ maxUses: 9, maxContainers: 10, maxMemoryMiB: 1 })
  for (const pool of [old, large]) {
    const sandbox = await pool.claim({ tenant: 'ann' })
    // Older than a millisecond.
    await delay(5)
    await pool.release(sandbox)
    expect(sandbox.isGuestProcessActive).toBe(false)
  }
})

test('a warm guest that is too old is replaced before somebody claims it', async () => {
  const pool = openPool({ min: 1, max: 1, maxAgeMs: 100 })
  await vi.waitUntil(() => pool.made.length >= 3, { timeout: 60_000 })
  expect(pool.alive).toBeLessThanOrEqual(1)
})

test('each claim can bring its own globals', async () => {
  const pool = openPool({ maxUses: 2, maxContainers: 10, globals: { who: () => 'the pool' } })
  const call = async (globals?: object) => {
    const sandbox = await pool.claim({ tenant: 'ann', globals })
    const container = await sandbox.execContainer({ source: 'exports.ask = () => globals.who()' })
    const answer = await container.call('ask')
    await pool.release(sandbox)
    return answer
  }
  expect(await call({ who: () => 'the claim' })).toBe('the claim')
  expect(await call()).toBe('the pool')
})

test('a guest that dies is replaced, warm or claimed', async () => {
  const pool = openPool({ min: 1, max: 1 })
  await isWarm(pool, 1)
  const [warm] = pool.made
  warm?.guestProcess?.kill('SIGKILL')
  await warm?.whenGuestProcessClosed
  const sandbox = await pool.claim()
  expect(sandbox).not.toBe(warm)
  sandbox.guestProcess?.kill('SIGKILL')
  expect(await (await pool.claim()).execContainer({ source })).toMatchObject({ cid: 1 })
})

test('a burst of ten times the size is served, never with more guests than there may be', async () => {
  const pool = openPool({ min: 1, max: 3 })
  let most = 0
  const pids = await Promise.all(
    Array.from({ length: 30 }, async () => {
      await using sandbox = await pool.claim()
      most = Math.max(most, pool.alive)
      expect(await (await sandbox.execContainer({ source })).call('add', [2, 3])).toBe(5)
      return sandbox.guestProcess?.pid
    }),
  )
  expect(new Set(pids).size).toBe(30)
  expect(most).toBeLessThanOrEqual(3)
  expect(pool.stats.waiting).toBe(0)
})

test('too many claims are refused, and a claim does not wait for ever', async () => {
  const pool = openPool({ min: 0, max: 1, maxWaiting: 1 })
  const sandbox = await pool.claim()
  const late = pool.claim({ timeoutMs: 5 })
  await expect(pool.claim()).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
  await expect(late).rejects.toMatchObject({ code: 'ERR_CONFINE_TIMEOUT' })
  const controller = new AbortController()
  const aborted = pool.claim({ signal: controller.signal })
  controller.abort()
  await expect(aborted).rejects.toMatchObject({ code: 'ERR_CONFINE_ABORTED' })
  await expect(pool.claim({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CONFINE_ABORTED' })
  expect(pool.stats).toMatchObject({ waiting: 0, claimed: 1 })
  await sandbox.teardown()
})

test('a tenant that asks and gives back all the time does not keep the others out', async () => {
  const pool = openPool({ min: 0, max: 1, maxUses: 1000, maxContainers: 10 })
  const order: string[] = []
  const use = async (tenant: string) => {
    const sandbox = await pool.claim({ tenant })
    order.push(tenant)
    await pool.release(sandbox)
  }
  await Promise.all([...Array.from({ length: 6 }, () => use('greedy')), use('patient')])
  expect(order.indexOf('patient')).toBeLessThanOrEqual(1)
  expect(order).toHaveLength(7)
})

test('a drained pool serves who waits and then ends; a closed one ends at once', async () => {
  const drained = openPool({ min: 2, max: 2 })
  const held = await Promise.all([drained.claim(), drained.claim()])
  const waiting = drained.claim()
  const end = drained.drain()
  await expect(drained.claim()).rejects.toMatchObject({ code: 'ERR_CONFINE_TORN_DOWN' })
  await held[0]?.teardown()
  await drained.release(await waiting)
  await drained.release(held[1] as Sandbox)
  await end
  expect(drained.alive).toBe(0)

  const closed = openPool({ min: 1, max: 1 })
  const sandbox = await closed.claim()
  const refused = expect(closed.claim()).rejects.toMatchObject({ code: 'ERR_CONFINE_TORN_DOWN' })
  await closed.close()
  await refused
  expect(sandbox.isGuestProcessActive).toBe(false)
  expect(closed.stats).toEqual({ warm: 0, launching: 0, claimed: 0, kept: 0, waiting: 0 })
})

test('a claim that waits has one guest launched for it', async () => {
  const pool = openPool({ min: 0 })
  await using sandbox = await pool.claim()
  expect(pool.stats).toEqual({ warm: 0, launching: 0, claimed: 1, kept: 0, waiting: 0 })
  expect(pool.made).toEqual([sandbox])
})

test('a drained pool ends what it kept, also when who waited got no guest', async () => {
  const pool = openPool({ min: 0, max: 2, maxUses: 2, maxContainers: 10 })
  await pool.release(await pool.claim({ tenant: 'ann' }))
  expect(pool.stats.kept).toBe(1)
  const refused = expect(pool.claim({ tenant: 'bob' })).rejects.toMatchObject({ name: 'ConfineError' })
  const end = pool.drain()
  await vi.waitUntil(() => pool.made[1]?.guestProcess?.kill('SIGKILL'), { timeout: 60_000, interval: 1 })
  await refused
  await end
  expect(pool.alive).toBe(0)
})

test('a pool that is drained while a guest comes back ends that guest', async () => {
  // Without a container to close, that takes some steps of promises and nothing else.
  const steps = Array.from({ length: 16 }, (_, index) => index)
  await Promise.all(
    steps.map(async (count) => {
      const pool = openPool({ min: 0, max: 1, maxUses: 2, maxContainers: 10 })
      const released = pool.release(await pool.claim({ tenant: 'ann' }))
      for (let step = 0; step < count; step++) await Promise.resolve()
      await pool.drain()
      await released
    }),
  )
})

test('what cannot be launched is told to who waits for it', async () => {
  const pool = openPool({ min: 1, runtime: resolveRuntime(fixture('no-runtime')) })
  await expect(pool.claim()).rejects.toMatchObject({ code: 'ERR_CONFINE_RUNTIME_INVALID' })
})

test('the life of a guest is counted from its first container', async () => {
  const pool = openPool({ min: 1, max: 1, limits: { lifeMs: 250 } })
  await isWarm(pool, 1)
  await delay(300)
  const sandbox = await pool.claim()
  expect(sandbox).toBe(pool.made[0])
  await sandbox.execContainer({ source }).catch(() => {})
  await sandbox.whenGuestProcessClosed
  expect(sandbox.guestEnd).toMatchObject({ kind: 'timeout', what: 'its life' })
})

test('what happens is told on diagnostics_channel', async () => {
  const told: string[] = []
  const names = ['launched', 'claimed', 'kept', 'refused', 'ended', 'launch-failed'].map((name) => `confine-sandbox:pool:${name}`)
  const listen = (message: unknown, name: string | symbol) => {
    if ((message as { pool: unknown }).pool === pool) told.push(String(name).replace('confine-sandbox:pool:', ''))
  }
  for (const name of names) subscribe(name, listen)
  onTestFinished(() => names.forEach((name) => void unsubscribe(name, listen)))
  const pool = openPool({ min: 1, max: 1, maxUses: 2, maxContainers: 10 })
  const sandbox = await pool.claim({ tenant: 'ann' })
  await expect(pool.claim({ signal: AbortSignal.abort() })).rejects.toThrow()
  await pool.release(sandbox)
  await pool.close()
  expect(told).toEqual(['launched', 'claimed', 'refused', 'kept', 'ended'])
})

test.each([
  [{ min: -1 }, 'min'],
  [{ max: 0 }, 'max'],
  [{ min: 5, max: 4 }, 'max'],
  [{ maxUses: 1.5 }, 'maxUses'],
  [{ maxWaiting: 'many' as never }, 'maxWaiting'],
  [{ claimTimeoutMs: 0 }, 'claimTimeoutMs'],
  [{ maxMemoryMiB: 0 }, 'maxMemoryMiB'],
  [{ pipeStdout: 'yes' as never }, 'pipeStdout'],
  [{ maxClaims: 5 } as never, 'no option "maxClaims"'],
  [{ limit: { memoryMiB: 64 } } as never, 'did you mean limits?'],
])('the options %j are refused before anything is started', (options, name) => {
  expect(() => openPool(options)).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining(name) }),
  )
})

test('a wrong claim is refused', async () => {
  const pool = openPool({ min: 0 })
  await expect(pool.claim({ tenant: '' })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  await expect(pool.claim({ signal: {} as AbortSignal })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  await expect(pool.claim({ globals: 7 })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  expect(pool.stats.launching).toBe(0)
})
