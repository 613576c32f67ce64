import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import vm from 'node:vm'
import { AbstractConfineRuntime } from 'abstract-confine-runtime'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import JsEvalConfineRuntime from '../src/index.ts'
import { rejection, start } from './start.ts'

const closed = { code: 'ERR_CONFINE_CONTAINER_CLOSED' }

test.each([
  [1, 0],
  [2, 1],
])('of a process for %i, an answered container makes %i realms for those to come', async (maxContainers, realms) => {
  JsEvalConfineRuntime.prepare({ maxContainers })
  onTestFinished(() => JsEvalConfineRuntime.prepare({ maxContainers: 1 }))
  const runtime = await start('exports.f = () => 1')
  const made = vi.spyOn(vm, 'createContext')
  onTestFinished(() => made.mockRestore())
  for (let i = 0; i < 3; i++) expect(await runtime.handleAPICall('f')).toBe(1)
  await nextTurn()
  expect(made).toHaveBeenCalledTimes(realms)
  // What one program does to its own is not found in the other's.
  const next = await start('globalThis.seen = typeof marked; exports.f = () => [seen, Object.keys(globalThis).includes("marked")]')
  expect(await next.handleAPICall('f')).toEqual(['undefined', false])
  expect(made).toHaveBeenCalledTimes(1)
})

describe('calls', () => {
  test('await what is returned', async () => {
    const runtime = await start('exports.later = async (x) => { await null; return x }; exports.then = () => ({ then(done) { done(7) } })')
    expect(await runtime.handleAPICall('later', ['x'])).toBe('x')
    expect(await runtime.handleAPICall('then', [])).toBe(7)
  })

  test('see exports as they are now', async () => {
    const runtime = await start('exports.grow = () => { module.exports.grown = () => 1 }')
    expect(await rejection(runtime.handleAPICall('grown'))).toMatchObject({ code: -1 })
    await runtime.handleAPICall('grow')
    expect(await runtime.handleAPICall('grown')).toBe(1)
    expect(runtime.describeAPI()).toEqual({
      type: 'api',
      children: [
        { type: 'method', name: 'grow' },
        { type: 'method', name: 'grown' },
      ],
    })
  })

  test.each(['missing', 'constructor', '__proto__.toString', 'a.constructor.constructor', 'a.push'])('of %s find nothing', async (name) => {
    const runtime = await start('exports.a = []')
    expect(await rejection(runtime.handleAPICall(name, []))).toMatchObject({
      name: 'MethodNotFound',
      code: -1,
      message: `Method not found: ${name}`,
    })
  })

  test('give back live values', async () => {
    const runtime = await start(`exports.all = () => {
      const round = { map: new Map([[1, new Set([2])]]), date: new Date(5), bytes: new Uint8Array([1]), big: 5n, none: undefined, zero: -0, error: new RangeError('r') }
      round.self = round
      return round
    }`)
    const value = (await runtime.handleAPICall('all')) as any
    expect(value.self).toBe(value)
    expect([...value.map].map(([key, set]) => [key, ...set])).toEqual([[1, 2]])
    expect(value).toMatchObject({ bytes: new Uint8Array([1]), big: 5n, none: undefined, zero: -0, error: { message: 'r' } })
    expect(+value.date).toBe(5)
    expect('none' in value).toBe(true)
  })

  test('give the program values of its own realm', async () => {
    const runtime = await start(`exports.check = (v) => [
      v.list instanceof Array, v instanceof Object, v.list.constructor === Array, Object.getPrototypeOf(v) === Object.prototype,
      v.map instanceof Map, v.set instanceof Set, v.date instanceof Date, v.error instanceof TypeError, v.bytes instanceof Uint8Array, v.regexp instanceof RegExp,
      v.map.get('k') instanceof Array, v.self === v, v.list.length === 3 && !(1 in v.list), v.error.cause instanceof Error, v.error.code === 'E',
      Object.getPrototypeOf(v.bare) === null, Object.hasOwn(v.odd, '__proto__'),
    ].every(Boolean)`)
    const value: Record<string, unknown> = {
      list: Object.assign([1], { 2: 3 }),
      map: new Map([['k', []]]),
      set: new Set(),
      date: new Date(),
      bytes: new Uint8Array(1),
      regexp: /a/g,
      error: Object.assign(new TypeError('t', { cause: new Error('c') }), { code: 'E' }),
      bare: Object.create(null),
      odd: JSON.parse('{"__proto__":1}'),
    }
    value.self = value
    expect(await runtime.handleAPICall('check', [value])).toBe(true)
  })
})

describe('errors', () => {
  test('of loading', async () => {
    const error = await rejection(start('\nfunction f() { null.x }\nf()', { path: '/app/main.js' }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.stack).toBe(`${error}\n    at f (/app/main.js:2:21)\n    at Object.<anonymous> (/app/main.js:3:1)`)
  })

  test('of syntax tell who forgot to say that it is TypeScript', async () => {
    const error = await rejection(start('const add = (a: number) => a'))
    expect(error.message).toMatch(/\. It is TypeScript: name it \.ts, or give the option language: 'ts'$/)
    expect((await rejection(start('const add = (a: number =) => a'))).message).not.toContain('TypeScript')
  })

  test('of syntax say where', async () => {
    const error = await rejection(start('let ok\nlet x = ;'))
    expect(error).toBeInstanceOf(SyntaxError)
    expect(error.stack).toContain('/guest/main.js:2\nlet x = ;\n        ^')
    expect(error.stack).not.toContain(import.meta.dirname)
  })

  test('of a call, sync and async, have guest paths only', async () => {
    const runtime = await start(`exports.now = () => { throw new RangeError('now') }
      exports.later = async () => { await null; throw Object.assign(new Error('later', { cause: { why: 1 } }), { code: 'E_LATER' }) }`)
    const now = await rejection(runtime.handleAPICall('now'))
    expect(now.stack).toMatch(/^RangeError: now\n {4}at \S+ \(\/guest\/main\.js:1:29\)$/)
    const later = await rejection(runtime.handleAPICall('later'))
    expect(later).toMatchObject({ message: 'later', code: 'E_LATER', cause: { why: 1 } })
    expect(later.stack).toMatch(/^Error: later\n {4}at \S+ \(\/guest\/main\.js:2:\d+\)$/)
  })

  test('that are returned have guest paths only', async () => {
    const runtime = await start(
      "exports.make = () => new TypeError('made'); exports.later = async () => { await null; return new Error('later') }",
    )
    expect(((await runtime.handleAPICall('make')) as Error).stack).toMatch(/^TypeError: made\n {4}at \S+ \(\/guest\/main\.js:1:\d+\)$/)
    expect(((await runtime.handleAPICall('later')) as Error).stack).toMatch(/^Error: later\n {4}at \S+ \(\/guest\/main\.js:1:\d+\)$/)
  })

  test('of exported getters and thenables', async () => {
    const runtime = await start(`Object.defineProperty(exports, 'bad', { enumerable: true, get() { throw new Error('getter') } })
      exports.then = () => ({ get then() { throw new Error('then getter') } })
      exports.proxy = new Proxy({}, { getOwnPropertyDescriptor() { throw new Error('trap') } })`)
    expect(await rejection(runtime.handleAPICall('bad'))).toMatchObject({ message: 'getter' })
    expect(await rejection(runtime.handleAPICall('then'))).toMatchObject({ message: 'then getter' })
    expect(await rejection(runtime.handleAPICall('proxy.x'))).toMatchObject({ message: 'trap' })
    expect(runtime.describeAPI().children).toEqual([{ type: 'method', name: 'then' }])
  })
})

describe('process.exit', () => {
  test.each(["'abc'", '1.5', '{}', 'true', 'NaN'])('(%s) is refused', async (argument) => {
    expect(await rejection(start(`process.exit(${argument})`))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  })

  test('finish() ends it as Node ends a program that has nothing left to do, whatever the program did to exit()', async () => {
    for (const [source, code] of [
      ['', 0],
      ['process.exitCode = 7', 7],
      ["process.on('exit', (code) => { process.exitCode = 9; if (code !== 3) throw 0 }); process.exitCode = 3", 3],
      ["process.exitCode = 'none'", 1],
      ['process.exit = () => {}', 1],
    ] as const) {
      const codes: unknown[] = []
      const runtime = new JsEvalConfineRuntime({ source })
      runtime.on('closed', (exitCode) => codes.push(exitCode))
      await runtime.run()
      await runtime.finish()
      expect(codes, source).toEqual([code])
    }
  })

  test('takes process.exitCode', async () => {
    const codes = await codesOf('process.exitCode = 7; process.exit()')
    expect(codes).toEqual([7])
  })

  test('tells its listeners once, and closes once', async () => {
    const seen: unknown[] = []
    const globals = { tell: (value: unknown) => void seen.push(value) }
    const codes = await codesOf("process.on('exit', (code) => { tell(code); process.exit(9) }); process.exit(5)", globals)
    expect(codes).toEqual([5])
    expect(seen).toEqual([5])
  })

  test('rejects the call in which it happens and those that wait', async () => {
    const runtime = await start(
      'exports.wait = () => new Promise(() => {}); exports.exit = () => { process.exit(2) }; exports.later = async () => { await null; process.exit(2) }',
    )
    const waiting = rejection(runtime.handleAPICall('wait'))
    expect(await rejection(runtime.handleAPICall('exit'))).toMatchObject({ ...closed, message: expect.stringContaining('process.exit(2)') })
    expect(await waiting).toMatchObject(closed)
    expect(await rejection(runtime.handleAPICall('wait'))).toMatchObject(closed)
    expect(await rejection(runtime.run())).toMatchObject(closed)
    const other = await start('exports.later = async () => { await null; process.exit(2) }')
    expect(await rejection(other.handleAPICall('later'))).toMatchObject(closed)
  })

  test.each([
    ['a timer', 'setTimeout(() => process.exit(3), 1)'],
    ['an interval', 'setInterval(() => process.exit(3), 1)'],
    ['an immediate', 'setImmediate(() => process.exit(3))'],
    ['a microtask', 'queueMicrotask(() => process.exit(3))'],
    ['a promise', '(async () => { await null; process.exit(3) })()'],
    ['a callback of Node', "require('fs').stat('/', () => process.exit(3))"],
    ['a caught exit', 'try { process.exit(3) } catch {}'],
  ])('from %s', async (_, source) => {
    const codes: unknown[] = []
    const runtime = new JsEvalConfineRuntime({ source })
    runtime.on('closed', (code) => codes.push(code))
    await runtime.run()
    await expect.poll(() => codes).toEqual([3])
  })
})

describe('close', () => {
  test('stops timers, and takes the globals away', async () => {
    let calls = 0
    const runtime = await start('setInterval(() => host().catch(() => {}), 1); setInterval(() => {}, 1); exports.none = 1', {
      globals: { host: () => calls++ },
    })
    await expect.poll(() => calls).toBeGreaterThan(0)
    await runtime.close()
    const before = calls
    await sleep(20)
    expect(calls).toBe(before)
  })
})

describe('the class', () => {
  test('merges into its options what it is configured with', async () => {
    const runtime = await start('')
    runtime.configure({ more: 1 })
    expect(runtime.opts).toMatchObject({ source: '', more: 1 })
  })

  test("is a subclass of npm's", () => {
    expect(new JsEvalConfineRuntime()).toBeInstanceOf(AbstractConfineRuntime as never)
    expect(JsEvalConfineRuntime.name).toBe('JsEvalConfineRuntime')
  })

  test('reports bad options from init', async () => {
    expect(await rejection(new JsEvalConfineRuntime({ source: '', path: 'a.js' }).init())).toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
    expect(await rejection(new JsEvalConfineRuntime({}).run())).toMatchObject({ code: 'ERR_CONFINE_SOURCE_MISSING' })
  })
})

test.each([
  '#!/usr/bin/env node\nexports.line = () => new Error().stack',
  new TextEncoder().encode('\uFEFF\nexports.line = () => new Error().stack'),
])('a hashbang or byte order mark moves no line', async (source) => {
  const runtime = await start(source)
  expect(await runtime.handleAPICall('line')).toContain('/guest/main.js:2:')
})

test('programs do not see each other', async () => {
  const one = await start('globalThis.mine = 1; Array.prototype.planted = 1; exports.see = () => [typeof mine, [].planted]')
  const two = await start('exports.see = () => [typeof mine, [].planted]')
  expect([...((await one.handleAPICall('see')) as unknown[])]).toEqual(['number', 1])
  expect([...((await two.handleAPICall('see')) as unknown[])]).toEqual(['undefined', undefined])
  expect(([] as { planted?: unknown }).planted).toBeUndefined()
})

async function codesOf(source: string, globals: Record<string, unknown> = {}): Promise<unknown[]> {
  const codes: unknown[] = []
  const runtime = new JsEvalConfineRuntime({ source, globals })
  runtime.on('closed', (code) => codes.push(code))
  await runtime.run()
  return codes
}
