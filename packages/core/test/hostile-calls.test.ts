import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { callContext, type Sandbox } from '../src/index.ts'
import { sandbox } from './support.ts'

// A hostile guest against what serves calls: deadlines, cancellation, descriptions, usage, console. Its source writes to
// descriptor 3 behind the back of its own entry program, or is a runtime's own word.

/** What a guest's source may use: frames written by hand. */
const hand = `
  const fs = require('fs')
  const frame = (bytes) => Buffer.from([bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes])
  const text = (string) => [8, string.length, ...Buffer.from(string)]
  const list = (...items) => [11, items.length, ...items.flat()]
  const small = (n) => [4, n * 2]
  const notice = (cid, method, ...params) => frame([4, cid, ...text(method), ...list(...params)])
  const request = (id, cid, parent, method, ...params) => frame([1, id, cid, parent, ...text(method), ...list(...params)])
  const send = (bytes) => { for (let sent = 0; sent < bytes.length; ) try { sent += fs.writeSync(3, bytes, sent) } catch {} }
  const never = () => new Promise(() => {})
`

async function attacked(sbx: Sandbox, attack: string, timeoutMs = 60_000): Promise<any> {
  const container = await sbx.execContainer({ source: `${hand}; exports.f = () => { ${attack}; return never() }` })
  return await container.call('f', [], { timeoutMs }).then(
    () => expect.unreachable('the call came back'),
    (error) => error,
  )
}

test.each([
  ['of a container that never was', 'notice(77, "console", text("log"), list(), small(0))'],
  ['of the process itself', 'notice(0, "console", text("log"), list(), small(0))'],
  ['with a level that is none', 'notice(1, "console", text("constructor"), list(), small(0))'],
  ['with arguments that are no list', 'notice(1, "console", text("log"), text("x"), small(0))'],
  ['that counts what is no number', 'notice(1, "console", text("log"), list(), text("x"))'],
])('a line of the console %s ends the guest', async (_name, bytes) => {
  const sbx = sandbox()
  sbx.on('console', () => {})
  expect(await attacked(sbx, `send(${bytes})`)).toMatchObject({ code: 'ERR_CONFINE_PROTOCOL' })
})

test.each([
  ['ERR_CONFINE_LIMIT', { code: 'ERR_CONFINE_LIMIT' }],
  // As if nothing had run.
  ['ERR_CONFINE_BAD_OPTION', { code: 'ERR_CONFINE_GUEST_THREW', errorCode: 'ERR_CONFINE_BAD_OPTION' }],
  ['ERR_CONFINE_SOURCE_MISSING', { code: 'ERR_CONFINE_GUEST_THREW' }],
  ['ERR_CONFINE_RUNTIME_INVALID', { code: 'ERR_CONFINE_GUEST_THREW' }],
  ['ERR_CONFINE_ISOLATION_UNAVAILABLE', { code: 'ERR_CONFINE_GUEST_THREW' }],
  ['ERR_CONFINE_SETUP_FAILED', { code: 'ERR_CONFINE_GUEST_THREW' }],
  ['ERR_CONFINE_TIMEOUT', { code: 'ERR_CONFINE_GUEST_THREW' }],
  ['ERR_CONFINE_GUEST_ENDED', { code: 'ERR_CONFINE_GUEST_THREW' }],
])('a guest that answers a call by itself and calls that %s', async (code, expected) => {
  const fields = `...text("name"), ...text("X"), ...text("message"), ...text("its own"), ...text("code"), ...text("${code}"), ...text("isOurs"), 2`
  const error = await attacked(sandbox(), `send(frame([3, 2, 13, 4, ${fields}]))`)
  expect(error).toMatchObject({ ...expected, message: 'its own' })
  expect(error.end).toBeUndefined()
})

test('lines of the console are not told beyond the bound, whatever the guest keeps to', async () => {
  // It stays until all was read: what is under way when a process exits need not arrive.
  const sbx = sandbox({ globals: { read: () => {} } })
  let told = 0
  let dropped = 0
  sbx.on('console', () => told++)
  sbx.on('console-dropped', ({ count }) => (dropped += count))
  const error = await attacked(
    sbx,
    'const line = notice(1, "console", text("log"), list(), small(0)); send(Buffer.concat(Array(30000).fill(line))); globals.read().then(() => process.exit(0))',
  )
  expect(error).toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED' })
  await sbx.whenGuestProcessClosed
  expect(told + dropped).toBe(30_000)
  expect(dropped).toBeGreaterThan(10_000)
})

test.each([
  ['cancels of what is not there', 'frame([5, 99])'],
  ['lines of the console', 'notice(1, "console", text("log"), list(text("x")), small(0))'],
  ['errors of a container', 'notice(1, "error", [13, 2, ...text("name"), ...text("E"), ...text("message"), ...text("m")])'],
])('a deadline fires while the guest floods the host with %s', async (_name, bytes) => {
  const sbx = sandbox()
  sbx.on('console', () => {})
  const error = await attacked(sbx, `const block = Buffer.concat(Array(2000).fill(${bytes})); for (;;) send(block)`, 200)
  expect(error).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'call' })
  expect(await sbx.whenGuestProcessClosed).toBe(128 + 9)
})

test('a call that claims to be within that of another container, or of none, is not aborted with it', async () => {
  const signals: (AbortSignal | undefined)[] = []
  const wait = () => {
    signals.push(callContext()?.signal)
    return new Promise(() => {})
  }
  const sbx = sandbox({ globals: { wait } })
  const victim = await sbx.execContainer({ source: `exports.f = () => new Promise(() => {})` })
  const controller = new AbortController()
  // The requests of the host: 1 is the load of the victim, 2 its call.
  const call = victim.call('f', [], { signal: controller.signal }).catch((error) => error)
  const forger = await sbx.execContainer({
    source: `${hand}; exports.f = () => { send(Buffer.concat([request(101, 2, 2, 'wait'), request(102, 2, 77, 'wait'), request(103, 2, 1, 'wait')])); return never() }`,
  })
  const forging = forger.call('f').catch((error) => error)
  await expect.poll(() => signals.length).toBe(3)
  controller.abort()
  await call
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, false, false])
  await sbx.teardown()
  await forging
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true, true])
})

test('a call within one that was cancelled does not reach the host any more', async () => {
  const wait = vi.fn(() => new Promise(() => {}))
  const sbx = sandbox({ globals: { wait } })
  const container = await sbx.execContainer({
    source: `${hand}; exports.f = () => never(); exports.forge = () => { send(request(101, 1, 2, 'wait')); return 'sent' }`,
  })
  const controller = new AbortController()
  const call = container.call('f', [], { signal: controller.signal }).catch((error) => error)
  controller.abort()
  await call
  // The guest never asked, so it meets an answer to nothing, and ends.
  await container.call('forge').catch(() => {})
  await sbx.whenGuestProcessClosed
  expect(wait).not.toHaveBeenCalled()
})

test.each(['describe', 'usage'] as const)('what a runtime says by %s is read as data', async (verb) => {
  const values = [
    'null',
    '5',
    '[]',
    '({ type: "api", children: 5 })',
    '({ children: [null, 5, { type: "method" }, { type: "method", name: 5 }, { type: "constructor", name: "a" }, { type: "object", name: "__proto__", children: {} }] })',
    '({ cpuMs: -1, heapMiB: NaN })',
    '({ cpuMs: "1", heapMiB: Infinity, wallMs: -5, calls: -5 })',
    'JSON.parse(\'{"__proto__": {"polluted": 1}, "cpuMs": 1}\')',
  ]
  const sbx = sandbox()
  const container = await sbx.execContainer({
    source: `exports.set = (index) => { runtime.describeAPI = runtime.usage = () => [${values.join(', ')}][index] }`,
  })
  for (const index of values.keys()) {
    await container.call('set', [index])
    const said: any = await container[verb]()
    // A guest that is too slow to tell what it used is not waited for.
    if (verb === 'usage' && index === 7) await expect.poll(async () => (await container.usage()).cpuMs).toBe(1)
    if (verb === 'describe') {
      expect(said).toEqual({ type: 'api', children: index === 4 ? [{ type: 'object', name: '__proto__', children: [] }] : [] })
    } else {
      expect(said.calls).toBeGreaterThan(0)
      expect(said.wallMs).toBeGreaterThan(0)
      if (index !== 7) expect(said.cpuMs).toBeUndefined()
      expect(said.heapMiB).toBeUndefined()
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  }
})

test('a guest that exits, answers and closes while it is ended for its deadline is ended once', async () => {
  const closed = vi.fn()
  const sbx = sandbox()
  sbx.on('container-closed', closed)
  await sbx.init()
  for (let i = 0; i < 30; i++) {
    const container = await sbx
      .execContainer({ source: `exports.f = () => new Promise((resolve) => setTimeout(() => { resolve(1); exit(3) }, ${i % 3}))` })
      .catch(() => undefined)
    if (container === undefined) break
    await container.call('f', [], { timeoutMs: 1 + (i % 3) }).catch((error) => expect(error.code).toMatch(/TIMEOUT|CLOSED|ENDED/))
    await container.closed
    await delay(5)
  }
  const cids = closed.mock.calls.map(([event]) => event.cid)
  expect(new Set(cids).size).toBe(cids.length)
})
