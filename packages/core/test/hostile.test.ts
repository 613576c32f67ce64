import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Command } from '@confine-sandbox/contract'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Sandbox } from '../src/index.ts'
import { fixture, sandbox } from './support.ts'

// The guest is hostile from its first byte: its source writes to descriptor 3 behind the back of its own entry program.

/** What a guest's source may use: frames written by hand. */
const hand = `
  const fs = require('fs')
  const write = (bytes) => fs.writeSync(3, Buffer.from(bytes))
  const frame = (bytes) => write([bytes.length, 0, 0, 0, ...bytes])
  const text = (string) => [8, string.length, ...Buffer.from(string)]
  const notice = (cid, method, ...params) => frame([4, cid, ...text(method), 11, params.length, ...params.flat()])
  const send = (bytes) => {
    for (let sent = 0; sent < bytes.length; ) try { sent += fs.writeSync(3, bytes, sent) } catch {}
  }
  const colliding = (count) => {
    const head = [2, 1, 15, (count & 127) | 128, ((count >> 7) & 127) | 128, count >> 14]
    const keys = Array.from({ length: count }, (_, i) => [7, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, i & 255, i >> 8, 1, 1])
    const body = Buffer.from([...head, ...keys.flat()])
    const header = Buffer.alloc(4)
    header.writeUInt32LE(body.length)
    return Buffer.concat([header, body])
  }
  const payload = [13, 2, ...text('name'), ...text('E'), ...text('message'), ...text('forged')]
`

async function attacked(sbx: Sandbox, attack: string): Promise<any> {
  const container = await sbx.execContainer({ source: `${hand}; exports.f = () => { ${attack}; return new Promise(() => {}) }` })
  return await container.call('f').then(
    () => expect.unreachable('the call came back'),
    (error) => error,
  )
}

test.each([
  ['a frame of 4 GiB', 'write([255, 255, 255, 255])'],
  ['an empty frame', 'write([0, 0, 0, 0])'],
  ['a message of no type', 'frame([250])'],
  ['an answer to nothing', 'frame([2, 99, 0])'],
  ['a close of a container that never was', 'notice(77, "closed", [4, 0])'],
  ['a close without a code', 'notice(1, "closed")'],
  ['what V8 learned, without being asked', 'notice(0, "learned")'],
  ['that it rehearses, without being asked', 'notice(0, "rehearsing")'],
  ['a notice of no name', 'notice(0, "__proto__")'],
  // Hashes of bigints see 64 bits only: 40,000 of these keys would take seconds.
  ['keys that all collide', 'send(colliding(40000))'],
])('%s ends the guest with the reason protocol', async (_name, attack) => {
  const sbx = sandbox()
  expect(await attacked(sbx, attack)).toMatchObject({ name: 'ConfineError', code: 'ERR_CONFINE_PROTOCOL', end: { kind: 'protocol' } })
  // Its own entry program sees the end of the channel, and goes when it comes to that before it is killed.
  expect([0, 128 + 9]).toContain(await sbx.whenGuestProcessClosed)
})

/** The call of the attack is request 2; the host gave out function 1 with it. */
test.each([
  ['an answer that an await would call', 'frame([2, 2, 13, 1, ...text("then"), 0x16, 7])', 'a function as then'],
  [
    'a parameter that JSON.stringify would call',
    'frame([1, 9, 1, 0, ...text("f"), 11, 1, 13, 1, ...text("toJSON"), 0x16, 7])',
    'a function as toJSON',
  ],
  ['a call of a function that the host never gave', 'frame([6, 9, 99, 0, 11, 0])', 'which was never given out'],
  ['a call of a function for no container', 'frame([1, 9, 0, 0, ...text("f"), 11, 1, 0x16, 7])', 'where none may be'],
  ['a stream twice', 'frame([1, 9, 1, 0, ...text("f"), 11, 2, 0x17, 7, 0x17, 7])', 'stream 7 twice'],
  ['an item that nobody asked for', 'frame([1, 9, 1, 0, ...text("f"), 11, 1, 0x17, 7]); frame([9, 7, 4, 1])', 'beyond its window'],
  ['an item of a stream that never was', 'frame([9, 90, 4, 1])', 'stream 90, which never was'],
  ['a pull of a function', 'frame([8, 1, 1, 1])', 'which is no stream'],
])('%s ends the guest, and nothing of it ran', async (_name, attack, reason) => {
  const called = vi.fn()
  const sbx = sandbox({ globals: { f: () => new Promise(() => {}) } })
  const container = await sbx.execContainer({ source: `${hand}; exports.f = () => { ${attack}; return new Promise(() => {}) }` })
  const error = await container.call('f', [called]).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'ERR_CONFINE_PROTOCOL', end: { kind: 'protocol', reason: expect.stringContaining(reason) } })
  expect(await sbx.whenGuestProcessClosed).toBe(128 + 9)
  expect(called).not.toHaveBeenCalled()
})

test('a guest that gives functions and streams without end is stopped at the bound, and the host goes on', async () => {
  const rejections = vi.fn()
  process.on('unhandledRejection', rejections)
  onTestFinished(() => void process.off('unhandledRejection', rejections))
  const kept: unknown[] = []
  const sbx = sandbox({
    globals: { keep: (values: unknown[]) => void kept.push(...values), make: () => [() => 1, (async function* () {})()] },
  })
  const container = await sbx.execContainer({
    source: `
      const many = async (make, count) => { try { for (let i = 0; ; i++) await globals.keep(Array.from({ length: count }, make)) } catch (error) { return error.code } }
      exports.functions = () => many(() => () => { throw new Error('no') }, 5000)
      exports.streams = () => many(() => (async function* () { throw new Error('no') })(), 50)
      exports.makes = async () => { try { for (;;) await globals.make() } catch (error) { return error.code } }`,
  })
  expect(await container.call('functions')).toBe('ERR_CONFINE_LIMIT')
  expect(await container.call('streams')).toBe('ERR_CONFINE_LIMIT')
  expect(await container.call('makes')).toBe('ERR_CONFINE_LIMIT')
  expect(kept.length).toBeLessThanOrEqual(65_536 + 1000)
  for (const value of kept.slice(-1000).concat(kept.slice(0, 1000))) {
    if (typeof value === 'function') void value()
    else void (value as AsyncIterator<unknown>).next()
  }
  await (kept[0] as () => Promise<unknown>)().catch(() => {})
  await sbx.teardown()
  await new Promise((resolve) => setImmediate(resolve))
  expect(rejections).not.toHaveBeenCalled()
})

test('a guest that closes its channel and lives on is ended', async () => {
  const sbx = sandbox()
  expect(await attacked(sbx, 'fs.closeSync(3); setInterval(() => {}, 1000)')).toMatchObject({
    code: expect.stringContaining('ERR_CONFINE_'),
  })
  expect(await sbx.whenGuestProcessClosed).toBe(128 + 9)
})

test('a guest that dies inside a frame ends with what ended it, not with a protocol fault', async () => {
  const sbx = sandbox()
  await attacked(sbx, 'write([100, 0, 0, 0, 1]); process.kill(process.pid, "SIGSYS")')
  expect(sbx.guestEnd).toMatchObject({ kind: 'violation', signal: 'SIGSYS' })
})

test('the notice of a failed start counts only before the start', async () => {
  const sbx = sandbox()
  expect((await attacked(sbx, 'notice(0, "failed", payload); setTimeout(() => process.exit(3), 50)')).code).not.toBe(
    'ERR_CONFINE_RUNTIME_INVALID',
  )
})

test('answers that arrive after the teardown began are no fault, and no function of the host is called any more', async () => {
  for (let i = 0; i < 5; i++) {
    let calls = 0
    const sbx = sandbox({ globals: { count: () => ++calls } })
    const container = await sbx.execContainer({
      source: 'process.on("SIGTERM", () => setTimeout(process.exit, 200)); exports.f = () => { globals.count(); return 1 }',
    })
    const pending = Array.from({ length: 100 }, () => container.call('f').catch(() => {}))
    const end = sbx.teardown()
    expect(calls).toBe(0)
    await Promise.all([end, ...pending])
    expect(calls).toBe(0)
    expect(sbx.guestEnd).not.toMatchObject({ kind: 'protocol' })
  }
})

test('a container whose guest does not answer can be closed', async () => {
  const sbx = sandbox()
  const container = await sbx.execContainer({ source: 'setTimeout(() => { for (;;); }, 20)' })
  await delay(50)
  const closed = container.close().catch(() => {})
  expect(await Promise.race([closed.then(() => 'closed'), delay(60_000, 'still open')])).toBe('closed')
})

const inert = { assess: () => ({ missing: [] }) as never }

test('a spawn that throws at once fails init with a code and leaves no timer behind', async () => {
  const isolation = {
    name: 'broken',
    ...inert,
    confine: (command: Command) => ({ ...command, args: ['a\0b'], cwd: '/', descriptors: [] }),
  }
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const sbx = sandbox({ noSandbox: false, isolation })
  await expect(sbx.init()).rejects.toMatchObject({ name: 'ConfineError', code: 'ERR_CONFINE_SETUP_FAILED' })
  await expect.poll(timers).toBeLessThanOrEqual(before)
})

test('whenGuestProcessClosed settles when there will be no guest process', async () => {
  const isolation = {
    name: 'broken',
    ...inert,
    confine: () => {
      throw new Error('cannot')
    },
  }
  const sbx = sandbox({ noSandbox: false, isolation })
  await expect(sbx.init()).rejects.toThrow('cannot')
  expect(await Promise.race([sbx.whenGuestProcessClosed.then(() => 'closed'), delay(60_000, 'open')])).toBe('closed')
})

/** A host process of its own, because it may not survive. Returns its last line, as JSON. */
async function host(program: string, pipe = ''): Promise<any> {
  const source = `
    import { Sandbox, resolveRuntime } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    import { readdirSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    const uncaught = []
    process.on('uncaughtException', (error) => uncaught.push(error.message))
    process.on('unhandledRejection', (error) => uncaught.push(error.message))
    const make = (options) => new Sandbox({ runtime: resolveRuntime(${JSON.stringify(fixture('plain-runtime'))}), noSandbox: true, ...options })
    const say = (result) => process.stderr.write('\\n' + JSON.stringify(result))
    ${program}`
  const command = `"$0" --input-type=module -e "$1" ${pipe}`
  const run = promisify(execFile)('/bin/sh', ['-c', command, process.execPath, source], { timeout: 115_000 })
  const { stderr } = await run.catch((error) => error)
  const last = String(stderr).trim().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(last)
  } catch {
    throw new Error(`The host said nothing at its end: ${stderr}`)
  }
}

test('a listener that throws stops no other container, event or caller', async () => {
  const result = await host(`
    const sbx = make()
    const containers = [await sbx.execContainer({ source: '' }), await sbx.execContainer({ source: '' })]
    let ends = 0
    sbx.on('container-closed', () => { throw new Error('of a listener') })
    sbx.on('guest-ended', () => ends++)
    const all = Promise.all([sbx.teardown(), ...containers.map(({ closed }) => closed)])
    const settled = await Promise.race([all.then(() => true), delay(50_000, false)])
    say({ settled, ends, uncaught })
    process.exit()`)
  // The errors themselves belong to whoever wrote the listener: they surface, once each, where such errors do.
  expect(result).toEqual({ settled: true, ends: 1, uncaught: ['of a listener', 'of a listener'] })
})

test('a listener that throws because of a notice of the guest does not end the guest', async () => {
  const result = await host(`
    const sbx = make()
    const container = await sbx.execContainer({ source: 'exports.f = () => 1' })
    sbx.once('container-closed', () => { throw new Error('of a listener') })
    await sbx.execContainer({ source: 'exit(0)' }).catch(() => {})
    await delay(1500)
    say({ answer: await container.call('f').catch((error) => error.code), uncaught })
    await sbx.teardown()`)
  expect(result).toEqual({ answer: 1, uncaught: ['of a listener'] })
})

test('output that nobody reads any more ends neither the host nor the guest', async () => {
  const result = await host(
    `
    const sbx = make({ pipeStdout: true })
    const container = await sbx.execContainer({ source: 'exports.f = () => 1; setInterval(() => process.stdout.write("x".repeat(65536)), 1)' })
    await delay(500)
    const answer = await container.call('f')
    const code = await Promise.race([sbx.teardown(), delay(50_000, 'hangs')])
    say({ answer, code, uncaught })
    process.exit()`,
    '| head -c 10 > /dev/null',
  )
  expect(result).toEqual({ answer: 1, code: 143, uncaught: [] })
})

test('sandboxes in a row leave no descriptor, no listener and nothing that keeps the host alive', async () => {
  const result = await host(`
    // Its handle is made when it is first asked for.
    void process.stdout
    const count = () => [readdirSync('/proc/self/fd').length, process.getActiveResourcesInfo().length, process.stdout.eventNames().length]
    const ends = ['process.exit(1)', 'process.kill(process.pid, "SIGKILL")', 'fs.closeSync(3)', 'fs.writeSync(3, Buffer.alloc(9))', '']
    const once = async (i) => {
      const sbx = make({ pipeStdout: true })
      await sbx.execContainer({ source: 'const fs = require("fs"); setTimeout(() => {' + ends[i % ends.length] + '}, 5)' }).catch(() => {})
      if (i % ends.length === 4) await sbx.teardown()
      else await sbx.whenGuestProcessClosed
    }
    // The handle of a process that is gone, and of its streams, is closed a turn or so later.
    const settled = async (isSo) => {
      for (let i = 0; i < 1000 && !isSo(); i++) await delay(20)
      return count()
    }
    await once(0)
    const before = await settled(() => !process.getActiveResourcesInfo().includes('ProcessWrap'))
    await Promise.all([1, 2, 3, 4, 5].map(async (_, w) => { for (let i = 0; i < 3; i++) await once(i + w) }))
    const after = await settled(() => count().every((one, index) => one <= before[index]))
    say({ before, after, uncaught })`)
  for (const [index, one] of result.after.entries()) expect(one).toBeLessThanOrEqual(result.before[index])
  expect(result.uncaught).toEqual([])
})

test('whatever comes together at whatever moment, every caller is answered', async () => {
  const acts: ((sbx: Sandbox) => Promise<unknown>)[] = [
    (sbx) => sbx.init(),
    (sbx) => sbx.execContainer({ source: 'exports.f = () => 1' }),
    (sbx) => sbx.execContainer({ source: 'throw 1' }),
    (sbx) => sbx.execContainer({ source: 'exit(4)' }),
    (sbx) => sbx.handleAPICall(1, 'f'),
    (sbx) => sbx.killContainer({ cid: 1 }),
    async (sbx) => sbx.guestProcess?.kill('SIGKILL'),
    (sbx) => sbx.teardown(),
  ]
  // A small generator of our own: the same interleavings every time.
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 48271) % 0x7fffffff
    return seed % below
  }
  const life = async (maxContainers: number) => {
    const sbx = sandbox({ maxContainers })
    const results: Promise<unknown>[] = []
    for (let i = 0; i < 8; i++) {
      results.push((acts[random(acts.length)] as (typeof acts)[0])(sbx))
      results.at(-1)?.catch(() => {})
      if (random(2) === 0) await delay(random(60))
    }
    results.push(sbx.teardown())
    for (const result of await Promise.allSettled(results)) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ name: 'ConfineError' })
    }
    expect(sbx.isGuestProcessActive).toBe(false)
    expect(await sbx.listContainers()).toEqual([])
  }
  for (let round = 0; round < 6; round++) await Promise.all([life(1), life(3), life(1), life(3)])
})
