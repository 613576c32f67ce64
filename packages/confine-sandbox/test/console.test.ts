import { format } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ConsoleEvent, Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']

function sandbox(options: SandboxConstructorOpts): Sandbox {
  const sbx = new Sandbox(options)
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

test.each(runtimes)('%s: what a program logs is told with its level, values and container, while somebody listens', async (runtime) => {
  const sbx = sandbox({ runtime })
  const events: ConsoleEvent[] = []
  const listener = (event: ConsoleEvent) => events.push(event)
  sbx.on('console', listener)
  const container = await sbx.execContainer({
    source: `
      console.log('loaded %s', 'it', { a: [1, 2n], map: new Map([[1, new Date(0)]]) })
      exports.all = () => {
        console.debug(1); console.info(null); console.warn(undefined); console.error(new RangeError('far'))
        console.trace('here'); console.dir({ b: 1 }, { depth: 0 }); console.assert(true, 'no'); console.assert(false, 'yes')
        const loop = {}; loop.self = loop
        console.log(() => 1, Symbol('s'), loop, new (class Point { x = 1 })(), new WeakMap(), new Proxy({}, { get() { throw new Error('no') } }))
        return 'done'
      }
      exports.one = (text) => { console.log(text) }`,
  })
  expect(events).toEqual([
    { cid: container.cid, level: 'log', args: ['loaded %s', 'it', { a: [1, 2n], map: new Map([[1, new Date(0)]]) }] },
  ])
  expect(format(...(events[0]?.args ?? []))).toMatch(/^loaded it \{/)
  events.length = 0
  expect(await container.call('all')).toBe('done')
  expect(events.map(({ level }) => level)).toEqual(['debug', 'info', 'warn', 'error', 'trace', 'log', 'error', 'log'])
  expect(events.slice(0, 3).map(({ args }) => args)).toEqual([[1], [null], [undefined]])
  expect(events[3]?.args[0]).toBeInstanceOf(RangeError)
  expect(events.slice(4, 7).map(({ args }) => args)).toEqual([['here'], [{ b: 1 }], ['Assertion failed', 'yes']])
  const odd = events[7]?.args ?? []
  expect(odd).toHaveLength(6)
  expect(odd[0]).toEqual(expect.stringContaining('Function'))
  expect(odd[1]).toBe('Symbol(s)')
  sbx.off('console', listener)
  events.length = 0
  await container.call('one', ['unheard'])
  expect(events).toEqual([])
  sbx.on('console', listener)
  await container.call('one', ['heard'])
  expect(events.map(({ args }) => args)).toEqual([['heard']])
})

test.each(runtimes)('%s: a flood of it is cut, counted and harms nobody', async (runtime) => {
  const sbx = sandbox({ runtime })
  let told = 0
  let dropped = 0
  let largest = 0
  sbx.on('console', ({ args }) => {
    told++
    largest = Math.max(largest, String(args[0]).length)
  })
  sbx.on('console-dropped', ({ count }) => (dropped += count))
  const container = await sbx.execContainer({
    source: `
      exports.flood = (n) => { for (let i = 0; i < n; i++) console.log(i) }
      exports.large = () => { console.log('x'.repeat(5_000_000), 1); console.log(new Array(100_000).fill('abc')) }`,
  })
  await container.call('large')
  expect(told).toBe(2)
  expect(largest).toBeLessThan(70_000)
  await container.call('flood', [20_000])
  await sbx.teardown()
  expect(told).toBeLessThan(20_000)
  // What came after the last line that was told is counted by nobody: the guest says it with the next.
  expect(told + dropped).toBeLessThanOrEqual(20_002)
  expect(dropped).toBeGreaterThan(0)
})

test('a console of the host takes the place of what it replaces', async () => {
  const log = vi.fn()
  const sbx = sandbox({ runtime: 'jseval-confine-runtime', globals: { console: { log } } })
  const events = vi.fn()
  sbx.on('console', events)
  const container = await sbx.execContainer({
    source: 'exports.f = async () => { await console.log("to the host"); console.warn("event") }',
  })
  await container.call('f')
  expect(log.mock.calls).toEqual([['to the host']])
  expect(events.mock.calls).toEqual([[{ cid: container.cid, level: 'warn', args: ['event'] }]])
})
