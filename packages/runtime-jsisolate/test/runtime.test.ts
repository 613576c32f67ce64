import { setTimeout as sleep } from 'node:timers/promises'
import { AbstractConfineRuntime } from 'abstract-confine-runtime'
import { describe, expect, test } from 'vitest'
import JsIsolateConfineRuntime from '../src/index.ts'
import { rejection, start } from './start.ts'

const closed = { code: 'ERR_CONFINE_CONTAINER_CLOSED' }

describe('calls', () => {
  test('await what is returned', async () => {
    const { call } = await start('exports.later = async (x) => { await null; return x }; exports.then = () => ({ then(done) { done(7) } })')
    expect(await call('later', 'x')).toBe('x')
    expect(await call('then')).toBe(7)
  })

  test('at the same time', async () => {
    const { call } = await start('exports.wait = (ms, x) => new Promise((done) => setTimeout(done, ms, x))')
    expect(await Promise.all([call('wait', 20, 'a'), call('wait', 5, 'b'), call('wait', 1, 'c')])).toEqual(['a', 'b', 'c'])
  })

  test('see exports as they are now', async () => {
    const { call } = await start('exports.grow = () => { module.exports.grown = () => 1 }')
    expect(await rejection(call('grown'))).toMatchObject({ code: -1 })
    await call('grow')
    expect(await call('grown')).toBe(1)
  })

  test.each(['missing', 'constructor', '__proto__.toString', 'a.constructor.constructor', 'a.push', 'toString', ''])(
    'of %j find nothing',
    async (name) => {
      const { call } = await start('exports.a = []')
      expect(await rejection(call(name))).toMatchObject({ name: 'MethodNotFound', code: -1, message: `Method not found: ${name}` })
    },
  )
})

describe('values', () => {
  const values: Record<string, unknown> = {
    undefined,
    null: null,
    boolean: true,
    number: 1.5,
    'negative zero': -0,
    NaN: Number.NaN,
    infinity: -Infinity,
    bigint: 2n ** 70n,
    string: 'é\u{1F600}\0',
    'lone surrogate': '\uD800',
    date: new Date(5),
    'invalid date': new Date(Number.NaN),
    regexp: /a+/gi,
    bytes: new Uint8Array([1, 2, 255]),
    floats: new Float64Array([1.5, Number.NaN]),
    buffer: new Uint8Array([1, 2]).buffer,
    view: new DataView(new ArrayBuffer(3)),
    map: new Map<unknown, unknown>([[{ k: 1 }, new Set([1n, 'x'])]]),
    'array with a hole': Object.assign([1], { 2: 3 }),
    nested: { a: [{ b: undefined }] },
    'odd keys': JSON.parse('{"__proto__":{"x":1},"constructor":2,"":3}'),
    '255 items': Array.from({ length: 255 }, (_, index) => index),
    'many bytes': new Uint8Array(3_000_000).fill(7),
  }

  test.each(Object.keys(values))('%s comes back the same', async (name) => {
    const { call } = await start('exports.echo = (x) => x; exports.later = async (x) => x')
    for (const method of ['echo', 'later']) {
      const result = await call(method, values[name])
      expect(result).toEqual(values[name])
      expect(Object.is(result, -0)).toBe(Object.is(values[name], -0))
      expect(Object.prototype.toString.call(result)).toBe(Object.prototype.toString.call(values[name]))
    }
  })

  test('circles', async () => {
    const { call } = await start('exports.check = (x) => { x.again = x.self === x; return x }')
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const result = await call('check', circle)
    expect(result.self).toBe(result)
    expect(result.again).toBe(true)
  })

  test('errors, both ways', async () => {
    const { call } = await start(`exports.make = () => ({ error: new RangeError('made', { cause: new Error('below') }) })
      exports.read = (x) => [x.error instanceof TypeError, x.error.message, x.error.cause instanceof Error, x.error.stack]
      exports.alone = (x) => x instanceof Error && x.message`)
    const { error } = await call('make')
    expect(error.stack).toMatch(/^RangeError: made\n {4}at \S+ \(\/guest\/main\.js:1:\d+\)$/)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ message: 'made', cause: { message: 'below' } })
    const [isError, message, hasCause, stack] = await call('read', { error: new TypeError('given', { cause: new Error('below') }) })
    expect([isError, message, hasCause]).toEqual([true, 'given', true])
    expect(stack).not.toContain(import.meta.dirname)
    expect(await call('alone', new Error('fresh'))).toBe('fresh')
  })

  test.each([
    'Symbol()',
    'new (class Socket { on = () => {} })()',
    '[{ then() {} }]',
    'new WeakMap()',
    'new Map([[1, Symbol()]])',
    '({ get a() { throw new Error("getter") } })',
    'new Proxy({}, { ownKeys() { throw 1 } })',
  ])('the result %s cannot be copied', async (source) => {
    const { call, errors } = await start(`exports.make = () => (${source}); exports.ok = () => 1`)
    expect(await rejection(call('make'))).toMatchObject({
      code: 'ERR_CONFINE_VALUE',
      message: expect.stringMatching(/^(result.* cannot cross between host and guest|The result of make cannot be copied .*)$/),
    })
    expect(await call('ok')).toBe(1)
    expect(errors).toEqual([])
  })

  const uncopyable: Record<string, unknown> = {
    'a symbol': Symbol('s'),
    'a function as then': { deep: [Object.fromEntries([['then', () => {}]])] },
    'a WeakMap': new WeakMap(),
    'a getter that throws': {
      get a() {
        throw new Error('getter')
      },
    },
  }

  test.each(Object.keys(uncopyable))('the parameter cannot be %s', async (name) => {
    const value = uncopyable[name]
    const { call } = await start('exports.take = () => 1')
    expect(await rejection(call('take', value))).toMatchObject({
      code: 'ERR_CONFINE_VALUE',
      message: expect.stringMatching(/^(params.* cannot cross between host and guest|The parameters of take cannot be copied .*)$/),
    })
    expect(await call('take')).toBe(1)
  })
})

describe('errors', () => {
  test('of loading', async () => {
    const error = await rejection(start('\nfunction f() { null.x }\nf()', { path: '/app/main.js' }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.stack).toBe(`${error}\n    at f (/app/main.js:2:21)\n    at Object.<anonymous> (/app/main.js:3:1)`)
  })

  test.each([
    ['is cut off', 'exports.a = () => {\n  if (true) {\n', '3:1', 'Unexpected end of input'],
    ['lacks a parenthesis', 'exports.a = f(1,\n2', '2:1', 'missing ) after argument list'],
    ['has a brace too many', 'exports.a = 1\n}', '2:1', "Unexpected token '}'"],
    ['returns, and is cut off', 'if (module.x) return\nif (true) {', '3:2', "Unexpected token ')'"],
    ['is long and cut off', `exports.a = () => {\n// ${'x'.repeat(40_000)}\n`, '3:1', 'Unexpected end of input'],
  ])('of syntax are those of the program alone: one that %s', async (_what, source, place, message) => {
    const error = await rejection(start(source))
    expect(error).toMatchObject({ name: 'SyntaxError', message, stack: expect.stringMatching(`\n    at /guest/main.js:${place}$`) })
  })

  test.each(['cjs', 'esm'] as const)('of syntax tell who forgot to say that it is TypeScript (%s)', async (module) => {
    const error = await rejection(start('const add = (a: number) => a', { module }))
    expect(error.message).toMatch(/\. It is TypeScript: name it \.ts, or give the option language: 'ts'$/)
    expect((await rejection(start('const add = (a: number =) => a', { module }))).message).not.toContain('TypeScript')
  })

  test.each(['cjs', 'esm'] as const)('of syntax say where (%s)', async (module) => {
    const error = await rejection(start('let x = ;', { module }))
    expect(error).toBeInstanceOf(SyntaxError)
    expect(error.message).toBe("Unexpected token ';'")
    expect(error.stack).toBe("/guest/main.js:1\nlet x = ;\n        ^\n\nSyntaxError: Unexpected token ';'\n    at /guest/main.js:1:9")
  })

  test('of a call, sync and async, have guest paths only', async () => {
    const { call } = await start(`exports.now = () => { throw new RangeError('now') }
      exports.later = async () => { await null; throw Object.assign(new Error('later', { cause: { why: 1 } }), { code: 'E_LATER', data: { list: [1] } }) }`)
    const now = await rejection(call('now'))
    expect(now.stack).toMatch(/^RangeError: now\n {4}at \S+ \(\/guest\/main\.js:1:29\)$/)
    const later = await rejection(call('later'))
    expect(later).toMatchObject({ message: 'later', code: 'E_LATER', cause: { why: 1 }, data: { list: [1] } })
    expect(later.stack).toMatch(/^Error: later\n {4}at \S+ \(\/guest\/main\.js:2:\d+\)$/)
  })

  test('in the background are told, and do not spoil the call they happen in', async () => {
    const { call, errors } = await start(
      `exports.call = () => { Promise.reject(new RangeError('nobody')); setTimeout(() => { throw new Error('timer') }, 1); queueMicrotask(() => { throw new Error('microtask') }); return 5 }`,
    )
    expect(await call('call')).toBe(5)
    await expect.poll(() => errors.map(String)).toEqual(expect.arrayContaining(['RangeError: nobody', 'Error: timer']))
    expect(await call('call')).toBe(5)
    expect(errors[0]!.stack).toMatch(/^RangeError: nobody\n {4}at \S+ \(\/guest\/main\.js:1:\d+\)$/)
  })
})

describe('process.exit', () => {
  test.each(["'abc'", '1.5', '{}', 'true', 'NaN'])('(%s) is refused', async (argument) => {
    expect(await rejection(start(`process.exit(${argument})`))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  })

  test('runs nothing after it', async () => {
    const seen: unknown[] = []
    const globals = { see: (value: unknown) => void seen.push(value) }
    const { exitCodes } = await start(
      "see(1); try { process.exitCode = 7; process.exit() } catch { see('caught') } finally { see('finally') } see('after'); for (;;);",
      { globals },
    )
    expect(exitCodes).toEqual([7])
    await sleep(20)
    expect(seen).toEqual([1])
  })

  test.each([
    ['a value', '(value) => { queueMicrotask(() => process.exit(3)); return value }'],
    ['a promise', 'async (value) => { setTimeout(() => process.exit(3)); return value }'],
    ['a call of the host', '(value) => { host(value); process.exit(3) }'],
  ])('what was said before is heard: %s', async (_name, last) => {
    const heard: unknown[] = []
    const { call, exitCodes } = await start(`exports.last = ${last}`, { globals: { host: (value: unknown) => heard.push(value) } })
    const answer = call('last', { text: 'x'.repeat(100_000) }).catch((error) => error)
    heard.push(await answer)
    expect(heard[0]).toEqual({ text: 'x'.repeat(100_000) })
    await expect.poll(() => exitCodes).toEqual([3])
  })

  test('rejects the call in which it happens and those that wait', async () => {
    const { call, exitCodes, runtime } = await start('exports.wait = () => new Promise(() => {}); exports.exit = () => { process.exit(2) }')
    const waiting = rejection(call('wait'))
    expect(await rejection(call('exit'))).toMatchObject({ ...closed, message: expect.stringContaining('process.exit(2)') })
    expect(await waiting).toMatchObject(closed)
    expect(await rejection(call('wait'))).toMatchObject(closed)
    expect(await rejection(runtime.run())).toMatchObject(closed)
    expect(exitCodes).toEqual([2])
  })

  test.each([
    'setTimeout(() => process.exit(3), 1)',
    '(async () => { await null; process.exit(3) })()',
    'queueMicrotask(() => process.exit(3))',
    '(async () => { await host(); process.exit(3) })()',
  ])('from %s', async (source) => {
    const { exitCodes } = await start(source, { globals: { host: () => 1 } })
    await expect.poll(() => exitCodes).toEqual([3])
  })
})

describe('close', () => {
  test('stops a program that never returns', async () => {
    const { runtime, call } = await start('exports.loop = () => { for (;;); }')
    const waiting = rejection(call('loop'))
    await sleep(10)
    await runtime.close()
    expect(await waiting).toMatchObject(closed)
  })

  test('stops a program that never loads', async () => {
    for (const module of ['cjs', 'esm'] as const) {
      const runtime = new JsIsolateConfineRuntime({ source: 'for (;;);', module })
      const waiting = rejection(runtime.run())
      await sleep(20)
      await runtime.close()
      expect(await waiting).toMatchObject(closed)
    }
  })

  test('stops timers, and answers that come late do no harm', async () => {
    let calls = 0
    let answer = (_: unknown) => {}
    const { runtime } = await start('setInterval(tick, 1); late()', {
      globals: { tick: () => calls++, late: () => new Promise((resolve) => (answer = resolve)) },
    })
    await expect.poll(() => calls).toBeGreaterThan(0)
    await runtime.close()
    const before = calls
    answer(1)
    await sleep(20)
    expect(calls).toBe(before)
  })
})

describe('limits', () => {
  test('a program that takes all memory ends alone', async () => {
    const other = await start('exports.ok = () => 1')
    const { call, exitCodes } = await start(
      'exports.bomb = () => { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())) }',
      { memoryLimitMiB: 16 },
    )
    expect(await rejection(call('bomb'))).toMatchObject({
      ...closed,
      message: 'The container has ended: it reached its memory limit of 16 MiB.',
    })
    expect(exitCodes).toEqual([134])
    expect(await other.call('ok')).toBe(1)
  })

  test('while it loads as well', async () => {
    for (const module of ['cjs', 'esm'] as const) {
      const error = await rejection(
        start('const all = []; for (;;) all.push(new Array(100_000).fill(Math.random()))', { memoryLimitMiB: 16, module }),
      )
      expect(error).toMatchObject({ ...closed, message: expect.stringContaining('memory limit of 16 MiB') })
    }
  })

  test('bytes count too', async () => {
    const { call } = await start('const all = []; exports.bomb = () => { for (;;) all.push(new Uint8Array(1_000_000)) }', {
      memoryLimitMiB: 16,
    })
    expect(await rejection(call('bomb'))).toMatchObject({ name: 'RangeError', message: 'Array buffer allocation failed' })
  })

  test('a deep recursion is an error', async () => {
    const { call } = await start('exports.deep = () => { (function f() { f() })() }; exports.ok = () => 1')
    expect(await rejection(call('deep'))).toMatchObject({ name: 'RangeError' })
    expect(await call('ok')).toBe(1)
  })

  test('a program that never returns stalls neither this process nor the others', async () => {
    const loops = await Promise.all(Array.from({ length: 4 }, () => start('exports.loop = () => { for (;;); }')))
    for (const { call } of loops) call('loop').catch(() => {})
    const { call } = await start('exports.ok = () => 1')
    expect(await call('ok')).toBe(1)
    await sleep(10)
  })
})

describe('the class', () => {
  test('merges into its options what it is configured with', async () => {
    const { runtime } = await start('')
    runtime.configure({ more: 1 })
    expect(runtime.opts).toMatchObject({ source: '', more: 1 })
  })

  test("is a subclass of npm's", () => {
    expect(new JsIsolateConfineRuntime()).toBeInstanceOf(AbstractConfineRuntime as never)
    expect(JsIsolateConfineRuntime.name).toBe('JsIsolateConfineRuntime')
  })
})

test('programs do not see each other', async () => {
  const one = await start('globalThis.mine = 1; Array.prototype.planted = 1; exports.see = () => [typeof mine, [].planted]')
  const two = await start('exports.see = () => [typeof mine, [].planted]')
  expect(await one.call('see')).toEqual(['number', 1])
  expect(await two.call('see')).toEqual(['undefined', undefined])
})

test.each([
  '#!/usr/bin/env node\nexports.line = () => new Error().stack',
  new TextEncoder().encode('\uFEFF\nexports.line = () => new Error().stack'),
])('a hashbang or byte order mark moves no line', async (source) => {
  const { call } = await start(source)
  expect(await call('line')).toContain('/guest/main.js:2:')
})

test('many containers, one after the other and at once', async () => {
  const one = async (index: number) => {
    const { call, runtime } = await start(`exports.get = () => ${index}`)
    expect(await call('get')).toBe(index)
    return runtime
  }
  for (let index = 0; index < 50; index++) await (await one(index)).close()
  await Promise.all(Array.from({ length: 30 }, (_, index) => one(index)))
})
