import { expect, onTestFinished, test } from 'vitest'
import { Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']

function sandbox(options: SandboxConstructorOpts): Sandbox {
  const sbx = new Sandbox(options)
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

interface Plugin {
  add(a: number, b: number): number
  readonly math: { twice(n: number): Promise<number> }
  spin(ms: number): number
}

test.each(runtimes)('%s: a container is called by name, describes itself, tells what it used, and closes', async (runtime) => {
  const sbx = sandbox({ runtime, globals: { half: (n: number) => n / 2 } })
  const source = `
    exports.add = (a, b) => a + b
    exports.math = { twice: async (n) => 4 * await half(n) }
    exports.spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); return ms }
    exports.then = (resolve) => resolve('thenable')
    exports.value = 5`
  {
    await using container = await sbx.execContainer<Plugin>({ source })
    expect(await container.api.add(1, 2)).toBe(3)
    expect(await container.api.math.twice(4)).toBe(8)
    await expect((container.api as any).missing()).rejects.toMatchObject({ code: 'ERR_CONFINE_METHOD_NOT_FOUND' })
    expect((container.api as any).math.constructor).toBeUndefined()
    expect(await container.describe()).toEqual({
      type: 'api',
      children: [
        { type: 'method', name: 'add' },
        { type: 'object', name: 'math', children: [{ type: 'method', name: 'twice' }] },
        { type: 'method', name: 'spin' },
        { type: 'method', name: 'then' },
      ],
    })
    await container.api.spin(30)
    // Asked again while this machine is too busy for a guest to tell in time.
    await expect
      .poll(() => container.usage())
      .toEqual({ wallMs: expect.any(Number), calls: 5, hostCalls: 1, cpuMs: expect.any(Number), heapMiB: expect.any(Number) })
    // Of the thirty milliseconds, as much as this machine gave it.
    await expect.poll(async () => (await container.usage()).cpuMs).toBeGreaterThan(0)
    expect(await sbx.listContainers()).toEqual([container])
  }
  expect(await sbx.listContainers()).toEqual([])
})

test('a container that is too busy to tell what it used is not waited for', async () => {
  const sbx = sandbox({ runtime: 'jseval-confine-runtime' })
  const container = await sbx.execContainer({ source: 'exports.loop = () => { for (;;); }' })
  const loop = container.call('loop', [], { timeoutMs: Number.POSITIVE_INFINITY }).catch((error) => error)
  expect(await container.usage()).toEqual({ wallMs: expect.any(Number), calls: 1, hostCalls: 0 })
  await container.close()
  await expect(container.usage()).rejects.toMatchObject({ code: 'ERR_CONFINE_TORN_DOWN' })
  expect(await loop).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
})

test('a description is read as data, within bounds', async () => {
  const sbx = sandbox({ runtime: 'jseval-confine-runtime' })
  const container = await sbx.execContainer({
    source: `
      const deep = {}
      let at = deep
      for (let i = 0; i < 100; i++) at = at['n' + i] = { f() {} }
      module.exports = { deep, ['__proto__']: { f() {} }, many: Object.fromEntries(Array.from({ length: 30000 }, (_, i) => ['f' + i, () => {}])) }`,
  })
  const { children } = await container.describe()
  expect(JSON.stringify(children).length).toBeLessThan(2_000_000)
  expect(Object.getPrototypeOf(children)).toBe(Array.prototype)
})
