import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { callContext, Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

// That deadlines fire, whatever the guest does; how exactly they do is measured in test/soak/deadlines.soak.ts.

function sandbox(options: SandboxConstructorOpts): Sandbox {
  const sbx = new Sandbox(options)
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

const never = () => new Promise(() => {})

/** What a guest can be busy with. */
const situations: readonly (readonly [what: string, body: string])[] = [
  ['loops', 'for (;;);'],
  ['awaits the host', 'return host.never()'],
  ['awaits nothing', 'return new Promise(() => {})'],
  ['floods microtasks', 'const again = () => Promise.resolve().then(again); again(); return new Promise(() => {})'],
  [
    'floods the host',
    'const again = () => { host.ping().then(again, again) }; for (let i = 0; i < 50; i++) again(); return new Promise(() => {})',
  ],
  ['sits in a regular expression', 'return /^(a+)+$/.test("a".repeat(60) + "b")'],
  ['sits in native code', 'return new Array(2 ** 27).fill(0).map(String).sort().join().length'],
]

/** One program that can do all of them. */
const source = `
  exports.add = (a, b) => a + b
  ${situations.map(([, body], index) => `exports.f${index} = (...args) => { ${body} }`).join('\n')}
`

test.each(situations.map(([what], index) => [what, index] as const))('jseval: a call that %s ends its process', async (_what, index) => {
  const globals = { host: { never, ping: async () => {} } }
  const sbx = sandbox({ runtime: 'jseval-confine-runtime', globals, limits: { memoryMiB: 4096 } })
  const container = await sbx.execContainer({ source })
  const call = container.call(`f${index}`, [], { timeoutMs: 100 })
  const other = container.call('add', [1, 2], { timeoutMs: 60_000 }).catch((error) => error)
  const error = await call.catch((thrown) => thrown)
  expect(error).toMatchObject({
    code: 'ERR_CONFINE_TIMEOUT',
    budget: 'call',
    timeoutMs: 100,
    cid: container.cid,
    method: `f${index}`,
    message: `The call of f${index} in container ${container.cid} took longer than 100 ms`,
  })
  expect(await container.closed).toEqual({ cid: container.cid, error })
  expect([3, 'ERR_CONFINE_CONTAINER_CLOSED']).toContain((await other).code ?? (await other))
  await sbx.whenGuestProcessClosed
  expect(sbx.guestEnd).toMatchObject({ kind: 'timeout', timeoutMs: 100 })
  await expect(container.call('add', [1, 2])).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED' })
})

test('jsisolate: each ends its container, and the others of the guest go on', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime', globals: { host: { never, ping: async () => {} } } })
  const bystander = await sbx.execContainer({ source })
  const closed = vi.fn()
  sbx.on('container-closed', closed)
  const pid = sbx.guestProcess?.pid
  await Promise.all(
    situations.map(async ([what], index) => {
      const container = await sbx.execContainer({ source, memoryLimitMiB: 1024 })
      const call = container.call(`f${index}`, [], { timeoutMs: 100 })
      const error = await call.catch((thrown) => thrown)
      // Sorting may end by the isolate's memory limit first where the machine is fast.
      expect(error, what).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'call', cid: container.cid })
      expect(await container.closed).toEqual({ cid: container.cid, error })
      await expect(container.call('add', [1, 2])).rejects.toMatchObject({ code: 'ERR_CONFINE_CONTAINER_NOT_FOUND' })
    }),
  )
  expect(await bystander.call('add', [1, 2])).toBe(3)
  expect(closed).toHaveBeenCalledTimes(situations.length)
  expect(sbx.guestProcess?.pid).toBe(pid)
  expect(await sbx.listContainers()).toEqual([bystander])
})

test('jsisolate, one container for a process: each ends both', async () => {
  for (const [index, [what]] of situations.entries()) {
    const globals = { host: { never, ping: async () => {} } }
    const sbx = sandbox({ runtime: 'jsisolate-confine-runtime', maxContainers: 1, globals, limits: { memoryMiB: 4096 } })
    const container = await sbx.execContainer({ source, memoryLimitMiB: 1024 })
    expect(await container.call('add', [1, 2]), what).toBe(3)
    const error = await container.call(`f${index}`, [], { timeoutMs: 100 }).catch((thrown) => thrown)
    expect(error, what).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'call', timeoutMs: 100 })
    expect(await container.closed).toEqual({ cid: container.cid, error })
    await sbx.whenGuestProcessClosed
    expect(sbx.guestEnd, what).toMatchObject({ kind: 'timeout', timeoutMs: 100 })
  }
})

test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('%s: a program that does not load in time is ended', async (runtime) => {
  const sbx = sandbox({ runtime, loadTimeoutMs: 100, globals: { host: { never } } })
  await sbx.init()
  for (const program of runtime.startsWith('jseval') ? ['for (;;);'] : ['for (;;);', 'await host.never()']) {
    const error = await sbx
      .execContainer({ source: program, module: program.includes('await') ? 'esm' : 'cjs' })
      .catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'load', timeoutMs: 100 })
    expect(await sbx.listContainers()).toEqual([])
  }
  if (runtime.startsWith('jseval')) await sbx.whenGuestProcessClosed
  else expect(await (await sbx.execContainer({ source, timeoutMs: 60_000 })).call('add', [1, 2])).toBe(3)
})

test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])(
  '%s: cancelling a call aborts what the guest asked within it, and nothing else',
  async (runtime) => {
    const signals = new Map<string, AbortSignal | undefined>()
    const aborted: string[] = []
    const wait = async (name: string) => {
      const signal = callContext()?.signal
      signals.set(name, signal)
      if (signal !== undefined) await once(signal, 'abort')
      aborted.push(name)
    }
    const sbx = sandbox({ runtime, globals: { wait, tick: async () => {}, asked: () => callContext()?.container.cid } })
    const container = await sbx.execContainer({
      source: `
      const seen = []
      exports.seen = () => seen
      exports.ask = async (name) => {
        await tick()
        await new Promise((resolve) => setTimeout(resolve, 1))
        try { await wait(name) } catch (error) { seen.push([name, error.code]) }
      }
      exports.asked = () => asked()`,
    })
    const controllers = ['a', 'b'].map((name) => {
      const controller = new AbortController()
      const call = container.call('ask', [name], { signal: controller.signal })
      return { controller, call: call.catch((error) => error) }
    })
    await expect.poll(() => signals.size).toBe(2)
    controllers[0]?.controller.abort(new Error('enough'))
    expect(await controllers[0]?.call).toMatchObject({ code: 'ERR_CONFINE_ABORTED', cause: new Error('enough') })
    expect(signals.get('a')?.reason).toMatchObject({ code: 'ERR_CONFINE_ABORTED' })
    await expect.poll(() => container.call('seen')).toEqual([['a', 'ERR_CONFINE_ABORTED']])
    expect(aborted).toEqual(['a'])
    expect(await container.call('asked')).toBe(container.cid)
    await container.close()
    await expect.poll(() => aborted).toEqual(['a', 'b'])
    expect(await controllers[1]?.call).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
  },
)

test('every method takes a signal, and what it gave up goes no further', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime', globals: { never } })
  const aborted = { code: 'ERR_CONFINE_ABORTED' }
  const signal = AbortSignal.abort()
  await expect(sbx.init({ signal })).rejects.toMatchObject(aborted)
  expect(sbx.guestProcess).toBeUndefined()
  const soon = new AbortController()
  const starting = sbx.init({ signal: soon.signal })
  soon.abort()
  await expect(starting).rejects.toMatchObject(aborted)
  const container = await sbx.execContainer({ source })
  await expect(sbx.execContainer({ source, signal })).rejects.toMatchObject(aborted)
  await expect(sbx.execContainer({ sourcePath: import.meta.filename, signal })).rejects.toMatchObject(aborted)
  const loading = new AbortController()
  const load = sbx.execContainer({ source: 'for (;;);', signal: loading.signal })
  await delay(20)
  loading.abort()
  await expect(load).rejects.toMatchObject(aborted)
  expect(await sbx.listContainers()).toEqual([container])
  await expect(sbx.listContainers({ signal })).rejects.toMatchObject(aborted)
  await expect(sbx.configContainer({ cid: container.cid, opts: {}, signal })).rejects.toMatchObject(aborted)
  await expect(container.call('add', [1, 2], { signal })).rejects.toMatchObject(aborted)
  await expect(container.call('add', [1, 2], { signal: {} as never })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  await expect(container.call('add', [1, 2], { timeoutMs: 0 })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  await expect(container.close({ signal })).rejects.toMatchObject(aborted)
  await container.closed
  await expect(sbx.teardown({ signal })).rejects.toMatchObject(aborted)
  await sbx.whenGuestProcessClosed
})

test('a container that nobody calls is ended, one that works or streams is not', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime', globals: { never } })
  const busy = await sbx.execContainer({ source: 'exports.f = () => never()', idleTimeoutMs: 20 })
  const work = busy.call('f').catch((error) => error)
  const idle = await sbx.execContainer({ source, idleTimeoutMs: 20 })
  expect(await idle.closed).toMatchObject({ error: { code: 'ERR_CONFINE_TIMEOUT', budget: 'idle', timeoutMs: 20 } })
  expect(await sbx.listContainers()).toEqual([busy])
  const streaming = await sbx.execContainer({ source: 'exports.f = async function* () { yield 1; await never() }', idleTimeoutMs: 20 })
  const stream = await streaming.call('f')
  expect(await stream.next()).toEqual({ done: false, value: 1 })
  const item = stream.next().catch((error: unknown) => error)
  expect((await (await sbx.execContainer({ source, idleTimeoutMs: 60 })).closed).error).toMatchObject({ budget: 'idle' })
  expect(await sbx.listContainers()).toEqual([busy, streaming])
  await busy.close()
  expect(await work).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
  await streaming.close()
  expect(await item).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
})

test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])(
  '%s: a stream that nobody asks is no use of its container',
  async (runtime) => {
    const sbx = sandbox({ runtime, globals: { never } })
    const streaming = await sbx.execContainer({ source: 'exports.f = async function* () { yield 1; await never() }', idleTimeoutMs: 200 })
    const stream = await streaming.call('f')
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    expect(await streaming.closed).toMatchObject({ error: { code: 'ERR_CONFINE_TIMEOUT', budget: 'idle' } })
    await expect(stream.next()).rejects.toMatchObject({ code: expect.stringMatching(/ERR_CONFINE_(CONTAINER_CLOSED|TIMEOUT|GUEST_ENDED)/) })
  },
)

test('the items of a stream have the budget of the call that brought it', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime', timeoutMs: 2000, globals: { rest: () => promise, never } })
  const container = await sbx.execContainer({
    source: `
      exports.f = async function* () { yield await rest() }
      exports.g = async function* () { await never() }`,
  })
  const stream = await container.call('f', [], { timeoutMs: Number.POSITIVE_INFINITY })
  const resting = stream.next()
  setTimeout(() => resolve(7), 2300)
  expect(await resting).toEqual({ done: false, value: 7 })
  const late = await container.call('g', [], { timeoutMs: 1500 })
  await expect(late.next()).rejects.toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'call', timeoutMs: 1500 })
  expect(await container.closed).toMatchObject({ error: { code: 'ERR_CONFINE_TIMEOUT' } })
})

test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])(
  '%s: the items of a stream bring functions and streams',
  async (runtime) => {
    const sbx = sandbox({ runtime })
    const container = await sbx.execContainer({
      source: `
      exports.f = async function* (given) {
        for await (const { twice } of given) yield [async (n) => n + (await twice(n)), (async function* () { yield 'deep' })()]
      }`,
    })
    const given = (async function* () {
      yield { twice: (n: number) => 2 * n }
    })()
    for await (const [add, deep] of await container.call('f', [given])) {
      expect(await add(4)).toBe(12)
      expect(await deep.next()).toEqual({ done: false, value: 'deep' })
    }
  },
)

test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])(
  '%s: a function that the guest gave has the budget of a call',
  async (runtime) => {
    const sbx = sandbox({ runtime, timeoutMs: 300 })
    const container = await sbx.execContainer({ source: 'exports.give = () => () => { for (;;); }' })
    const loop = await container.call('give', [], { timeoutMs: 60_000 })
    const error = await loop().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'call', timeoutMs: 300, cid: container.cid })
    expect(await container.closed).toEqual({ cid: container.cid, error })
  },
)

test('a sandbox that is torn down while a container is being closed did not end for that', async () => {
  const sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
  const never = await sbx.execContainer({ source: 'exports.wait = () => new Promise(() => {})' })
  await expect(never.call('wait', [], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'ERR_CONFINE_TIMEOUT' })
  await sbx.teardown()
  expect(sbx.guestEnd).toMatchObject({ kind: 'signaled', signal: 'SIGTERM' })
})

test('who calls a container that has closed is told how it did', async () => {
  const sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
  try {
    const [left, slow, closed] = await Promise.all(
      ['process.exit(3)', 'exports.wait = () => new Promise(() => {})', ''].map((source) => sbx.execContainer({ source, env: 'nodejs' })),
    )
    await slow!.call('wait', [], { timeoutMs: 50 }).catch(() => {})
    await closed!.close()
    const told = (container: typeof left) => container!.call('wait').catch((error: unknown) => error)
    const code = 'ERR_CONFINE_CONTAINER_NOT_FOUND'
    expect(await told(left)).toMatchObject({ code, message: 'The sandbox has no open container 1: it exited with code 3' })
    expect(await told(slow)).toMatchObject({
      code,
      message: expect.stringContaining('2: it was ended: The call of wait in container 2 took longer'),
    })
    expect(await told(closed)).toMatchObject({ code, message: 'The sandbox has no open container 3: it was closed' })
  } finally {
    await sbx.teardown()
  }
})
