import { AbstractConfineRuntime } from 'abstract-confine-runtime'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import QuickJsConfineRuntime from '../src/index.ts'

async function start(source: string | Uint8Array, options: QuickJsConfineRuntime.Options = {}) {
  const exitCodes: unknown[] = []
  const runtime = new QuickJsConfineRuntime({ source, ...options })
  onTestFinished(() => runtime.close())
  runtime.on('closed', (code) => exitCodes.push(code))
  await runtime.run()
  const call = (name: string, ...params: unknown[]): Promise<any> => runtime.handleAPICall(name, params)
  return { runtime, exitCodes, call }
}

async function rejection(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    () => expect.unreachable('It was not rejected'),
    (error) => error,
  )
}

test("is a subclass of npm's", () => {
  expect(new QuickJsConfineRuntime()).toBeInstanceOf(AbstractConfineRuntime as never)
})

describe('values', () => {
  const values: Record<string, unknown> = {
    'text with NUL and half a pair': 'a\0b\uD800',
    'an array with a hole': Object.assign([1], { 2: 3 }),
    'odd keys': JSON.parse('{"__proto__":{"x":1},"constructor":2,"":3,"1":4}'),
    'an invalid date': new Date(Number.NaN),
    'a regular expression': /a+\/b/gi,
    'a buffer': new Uint8Array([1, 2]).buffer,
    'a view': new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 2),
    'numbers of each size': [new Int8Array([-1]), new BigUint64Array([2n ** 63n]), new Float32Array([0.5])],
    'a map of maps': new Map<unknown, unknown>([[{ k: 1 }, new Map([[new Set([1n]), undefined]])]]),
    'an error': Object.assign(new RangeError('r', { cause: new Error('c') }), { extra: 1 }),
    'zeros in a map': new Map([[0, -0]]),
    'something deep': Array.from({ length: 5000 }).reduce<unknown>((below) => ({ below }), 1),
  }

  test.each(Object.keys(values))('%s comes back the same', async (name) => {
    const { call } = await start('exports.echo = (x) => x')
    const got = await call('echo', values[name])
    if (name !== 'something deep') expect(got).toEqual(values[name])
    else for (let at = got, depth = 0; depth < 5000; at = at.below, depth++) expect(at).toHaveProperty('below')
  })

  test('circles, and what is shared', async () => {
    const { call } = await start('exports.check = (x) => { x.again = x.self === x && x.one === x.two; return x }')
    const shared = {}
    const value: Record<string, unknown> = { one: shared, two: shared }
    value.self = value
    const got = await call('check', value)
    expect(got).toMatchObject({ again: true })
    expect([got.self === got, got.one === got.two]).toEqual([true, true])
  })

  test.each(['() => {}', 'Symbol()', '[() => {}]', 'Promise.resolve()', 'new WeakMap()', '({ get a() { throw new Error("getter") } })'])(
    'the result { a: %s } cannot be copied',
    async (source) => {
      const { call } = await start(`exports.make = () => ({ a: (${source}), get ok() { return 1 } }); exports.ok = () => 1`)
      expect(await rejection(call('make'))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
      expect(await call('ok')).toBe(1)
    },
  )

  test.each([[() => {}], [{ deep: [Symbol('s')] }], [new WeakMap()]])('the parameter %o cannot be copied', async (value) => {
    const { call } = await start('exports.take = () => 1')
    expect(await rejection(call('take', value))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  })
})

describe('errors', () => {
  test('of loading name the line', async () => {
    const error = await rejection(start('\nfunction f() { null.x }\nf()', { path: '/app/main.js' }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.stack).toBe(`${error}\n    at f (/app/main.js:2:20)\n    at <anonymous> (/app/main.js:3:2)`)
  })

  test('of syntax do, too', async () => {
    const error = await rejection(start('let ok\nlet x = ;'))
    expect(error).toBeInstanceOf(SyntaxError)
    expect(error.stack).toContain('/guest/main.js:2')
  })

  test.each([
    ['is wrong on its first line', 'let x = ;', '/guest/main.js:1\nlet x = ;\n        ^\n\n', '1:9'],
    ['is cut off', 'exports.a = () => {\n  if (true) {', '/guest/main.js:2\n  if (true) {\n             ^\n\n', '2:14'],
    ['has a brace too many', 'exports.a = 1\n}', '/guest/main.js:2\n}\n^\n\n', '2:1'],
  ])('of syntax show the place in the program: one that %s', async (_what, source, shown, place) => {
    const { message, stack } = await rejection(start(source))
    expect(stack).toBe(`${shown}SyntaxError: ${message}\n    at /guest/main.js:${place}`)
  })

  test.each([
    ['cjs', "throw new Error('x')", 16],
    ['cjs', "#!/usr/bin/env node\nthrow new Error('x')", 16],
    ['esm', "import.meta; throw new Error('x')", 29],
  ] as const)('of a first line name the column of the program (%s)', async (module, source, column) => {
    const { stack } = await rejection(start(source, { module }))
    expect(stack).toMatch(new RegExp(`/guest/main.js:${source.split('\n').length}:${column}\\)$`))
  })

  test.each(['cjs', 'esm'] as const)('of syntax tell who forgot to say that it is TypeScript (%s)', async (module) => {
    const error = await rejection(start('const add = (a: number) => a', { module }))
    expect(error.message).toMatch(/\. It is TypeScript: name it \.ts, or give the option language: 'ts'$/)
    expect((await rejection(start('const add = (a: number =) => a', { module }))).message).not.toContain('TypeScript')
  })

  test('carry name, code, cause and data', async () => {
    const { call } = await start(`class Odd extends Error { name = 'Odd' }
      exports.fail = () => { throw Object.assign(new Odd('no', { cause: new RangeError('below') }), { code: 'E_ODD', count: 3, list: [1] }) }`)
    const error = await rejection(call('fail'))
    expect(error).toMatchObject({ name: 'Odd', message: 'no', code: 'E_ODD', count: 3, cause: { name: 'RangeError', message: 'below' } })
    expect(error.list).toBeUndefined()
  })

  test('of the host are redacted', async () => {
    const globals = {
      fail: () => {
        throw Object.assign(new TypeError('no'), { code: 'E', path: '/secret' })
      },
    }
    const { call } = await start(
      'exports.ask = async () => { try { await fail() } catch (e) { return [e.name, e.message, e.code, e.path, e.stack.includes("packages")] } }',
      {
        globals,
      },
    )
    expect(await call('ask')).toEqual(['TypeError', 'no', 'E', undefined, false])
  })
})

describe('the program finds', () => {
  test('nothing of Node', async () => {
    const { call } = await start(
      'exports.see = () => [typeof process, typeof Buffer, typeof fetch, typeof WebAssembly, typeof std, typeof os]',
    )
    expect(new Set(await call('see'))).toEqual(new Set(['undefined']))
    expect(await rejection(start("require('fs')"))).toMatchObject({ code: 'MODULE_NOT_FOUND', message: expect.stringContaining('"fs"') })
    expect(await rejection(start("import 'fs'", { module: 'esm' }))).toBeInstanceOf(Error)
  })

  test('a console, of which each line is an event', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const lines: unknown[] = []
    const runtime = new QuickJsConfineRuntime({ source: 'console.warn("a", 1); console.error(new Error("b"))' })
    runtime.on('console', (...line) => lines.push(line))
    try {
      await runtime.run()
    } finally {
      write.mockRestore()
    }
    expect(lines).toEqual([
      ['warn', ['a 1']],
      ['error', ['Error: b']],
    ])
  })

  test('a console that has all methods of the usual ones, and shows what JSON does not know', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const silence = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const lines: unknown[] = []
    const runtime = new QuickJsConfineRuntime({
      source: `console.log('%s is %d of %i, 100%%', 'a', 1.5, 2.5, 'more', '%s')
        console.group('group'); console.table([{ a: 1n }]); console.groupEnd()
        console.dir(new Map([[1, new Set(['x'])]])); console.assert(true); console.assert(false, 'why')
        console.time(); console.timeEnd(); console.count(); console.clear()
        console.log(); console.log(new Proxy({}, { get() { throw 1 } }))`,
    })
    runtime.on('console', (...line) => lines.push(line))
    try {
      await runtime.run()
    } finally {
      write.mockRestore()
      silence.mockRestore()
    }
    expect(lines).toEqual([
      ['log', ['a is 1.5 of 2, 100% more %s']],
      ['log', ['group']],
      ['log', ['  [{"a":"1n"}]']],
      ['log', ['[[1,["x"]]]']],
      ['error', ['Assertion failed why']],
      ['log', ['']],
      ['log', ['[object]']],
    ])
  })

  test('a console, whose methods the host may take over one by one', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const seen: unknown[] = []
    try {
      await start('console.log("a\\0b", { c: 1 }, [2n].length); console.warn("mine")', {
        globals: { console: { warn: (x: unknown) => void seen.push(x) } },
      })
      expect(write.mock.calls).toEqual([['a\0b {"c":1} 1\n']])
    } finally {
      write.mockRestore()
    }
    await vi.waitFor(() => expect(seen).toEqual(['mine']), { timeout: 60_000 })
  })

  test('values and functions of the host, nested', async () => {
    const { call } = await start('exports.get = async () => [config.name, config.list, await config.math.double(4)]', {
      globals: { config: { name: 'n', list: [1, new Map([[1, 2]])], math: { double: (x: number) => x * 2 } } },
    })
    expect(await call('get')).toEqual(['n', [1, new Map([[1, 2]])], 8])
  })

  test('the same each time, when it is told the time and a seed', async () => {
    const source = `exports.see = () => [Date.now(), new Date().toISOString(), new Date(0).constructor.now(), new Date(5).getTime(), Math.random(), Math.random(), new Date() instanceof Date]`
    const [one, two] = [await start(source, { now: 1000, seed: 7 }), await start(source, { now: 1000, seed: 7 })]
    const got = await one.call('see')
    expect(got).toEqual(await two.call('see'))
    expect(got.slice(0, 4)).toEqual([1000, '1970-01-01T00:00:01.000Z', 1000, 5])
    expect(got.at(-1)).toBe(true)
    expect(await (await start(source, { seed: 8, now: 1000 })).call('see')).not.toEqual(got)
  })
})

describe('modules', () => {
  test('may wait at their top level', async () => {
    const { call, runtime } = await start(
      'export const five = await new Promise((done) => done(5)); export const get = () => five; export default class { }',
      {
        module: 'esm',
      },
    )
    expect(await call('get')).toBe(5)
    expect(runtime.describeAPI().children).toMatchObject([{ name: 'default' }, { name: 'get' }])
    expect(await rejection(start('await null; throw new RangeError("late")', { module: 'esm' }))).toMatchObject({
      name: 'RangeError',
      message: 'late',
    })
  })

  test('are recognised by their path', async () => {
    const { call } = await start('export const a = () => new Error().stack', { path: '/app/main.mjs' })
    expect(await call('a')).toContain('/app/main.mjs')
  })

  test.each([
    '#!/usr/bin/env node\nexports.line = () => new Error().stack',
    new TextEncoder().encode('\uFEFF\nexports.line = () => new Error().stack'),
  ])('a hashbang or byte order mark moves no line', async (source) => {
    const { call } = await start(source)
    expect(await call('line')).toContain('/guest/main.js:2:')
  })

  test('a program that changes the language under the prelude learns no path of the outside', async () => {
    const source = `const { parse } = JSON
      exports.ask = () => {
        JSON.parse = () => [['o', 'kind', 'commonjs', 'path', '/p/none.js']]
        try { require('./x') } catch ({ message, stack }) { return message + stack } finally { JSON.parse = parse }
      }`
    const main = { format: 'commonjs', language: 'js', text: source, imports: new Map(), requires: new Map(), exports: [] } as const
    const { call } = await start(source, { graph: { entry: '/p/main.js', modules: new Map([['/p/main.js', main]]) } })
    const told: string = await call('ask')
    expect(told).toContain('Cannot load the module "/p/none.js"')
    expect(told).not.toMatch(/runtime-quickjs|node_modules|file:/)
  })

  test('a NUL in the source is a character like another', async () => {
    expect(await (await start('exports.length = () => "a\0b".length')).call('length')).toBe(3)
  })
})

describe('timers', () => {
  test('fire in their order, once or again, until they are cleared', async () => {
    const { call } = await start(`
      exports.run = () => new Promise((done) => {
        const seen = []
        const never = setTimeout(() => seen.push('never'), 5)
        setTimeout((a, b) => seen.push(a + b), 10, 'on', 'ce')
        setImmediate(() => seen.push('soon'))
        let times = 0
        const every = setInterval(() => {
          if (++times < 30) return
          clearInterval(every)
          done([...seen, times])
        }, 1)
        clearTimeout(never)
        clearTimeout(never)
        clearTimeout('x')
      })`)
    expect(await call('run')).toEqual(['soon', 'once', 30])
  })

  test('are bounded, take functions only, and end with the container', async () => {
    const { call, runtime } = await start(`
      exports.many = () => { let count = 0; try { for (;;) { setTimeout(() => {}, 1e6); count++ } } catch (error) { return [count, error.name] } }
      exports.text = () => { try { setTimeout('1') } catch (error) { return error.name } }`)
    expect(await call('text')).toBe('TypeError')
    expect(await call('many')).toEqual([10_000, 'RangeError'])
    await runtime.close()
  })

  test('that never rest are ended by their deadline', async () => {
    const { runtime, exitCodes } = await start('setTimeout(() => { for (;;); }, 1)', { computeLimitMs: 50 })
    await vi.waitFor(() => expect(exitCodes).toEqual([152]), { timeout: 60_000 })
    await expect(runtime.handleAPICall('x', [])).rejects.toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
  })
})

test.each([
  { source: '', path: 'a.js' },
  { source: '', language: 'py' as never },
  { source: '', module: 'amd' as never },
  { source: '', memoryLimitMiB: 0 },
  { source: '', computeLimitMs: Number.NaN },
  { source: '', seed: -1 },
  { source: '', globals: 5 as never },
  { source: '', memoryLimit: 64 },
  { source: '', timeout: 500 },
])('%o is refused', async (options) => {
  expect(await rejection(new QuickJsConfineRuntime(options).init())).toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})

test('a process without memory for one more program says so', async () => {
  const { Memory } = WebAssembly
  const none = () => {
    throw new RangeError('WebAssembly.Memory(): could not allocate memory')
  }
  WebAssembly.Memory = none as never
  try {
    expect(await rejection(start(''))).toMatchObject({ code: 'ERR_CONFINE_LIMIT', message: expect.stringContaining('limits.memoryMiB') })
  } finally {
    WebAssembly.Memory = Memory
  }
})

test('waits for a host that calls back at once', async () => {
  let again: Promise<unknown> | undefined
  const { call, runtime } = await start('exports.ask = async () => 1 + await host(); exports.one = () => 1', {
    globals: { host: () => (again = runtime.handleAPICall('one', [])) },
  })
  expect(await call('ask')).toBe(2)
  expect(await again).toBe(1)
})
