import { describe, expect, onTestFinished, test } from 'vitest'
import QuickJsConfineRuntime from '../src/index.ts'

async function start(source: string, options: QuickJsConfineRuntime.Options = {}) {
  const runtime = new QuickJsConfineRuntime({ source, computeLimitMs: 100, memoryLimitMiB: 8, ...options })
  onTestFinished(() => runtime.close())
  await runtime.run()
  return runtime
}

/** How a call ended, which must not be never. */
async function outcome(runtime: QuickJsConfineRuntime, name = 'go'): Promise<string> {
  return runtime.handleAPICall(name, []).then(
    (value) => `got ${typeof value}`,
    (error) => `${error.code ?? error.name}: ${error.message}`,
  )
}

describe('a program that never rests ends by its deadline', () => {
  test.each([
    'for (;;);',
    'const spin = () => { Promise.resolve().then(spin) }; spin(); return new Promise(() => {})',
    'return { get then() { for (;;); } }',
    'return new Proxy({}, { ownKeys() { for (;;); } })',
    'return { get a() { for (;;); } }',
    'return (async () => { for (;;) await null })()',
    'try { for (;;); } catch { for (;;); } finally { for (;;); }',
    'throw { get message() { for (;;); } }',
    'return new Proxy(() => {}, { get() { for (;;); } })',
    '/^(a+)+$/.test("a".repeat(64) + "b")',
    '"x".repeat(99).split("").sort(() => { for (;;); })',
    // Few steps, each of which takes long.
    'const text = "x".repeat(10_000); for (;;) text.split("")',
    'const text = JSON.stringify(new Array(10_000).fill(1)); for (;;) JSON.parse(text)',
    'const text = "x".repeat(10_000); const spin = () => { text.split(""); Promise.resolve().then(spin) }; spin(); return new Promise(() => {})',
  ])('%s', async (body) => {
    const other = await start('exports.go = () => 1')
    const runtime = await start(`exports.go = () => { ${body} }; exports.other = () => 1`)
    expect(await outcome(runtime)).toMatch(/^ERR_CONFINE_CONTAINER_CLOSED: .*computed for more than 100 ms/)
    expect(await outcome(runtime, 'other')).toMatch(/^ERR_CONFINE_CONTAINER_CLOSED/)
    expect(await outcome(other)).toBe('got number')
  })

  test('also while it loads', async () => {
    for (const module of ['cjs', 'esm'] as const) {
      await expect(start('for (;;);', { module })).rejects.toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
    }
  })

  test('and takes the calls that wait with it', async () => {
    const runtime = await start('exports.wait = () => new Promise(() => {}); exports.go = () => { for (;;); }')
    const waiting = outcome(runtime, 'wait')
    await outcome(runtime)
    expect(await waiting).toMatch(/^ERR_CONFINE_CONTAINER_CLOSED/)
  })
})

describe('a program that takes all memory, or all of the stack, fails', () => {
  test.each([
    'const all = []; for (;;) all.push(new Array(1000).fill(1))',
    'let text = "x"; for (;;) text += text',
    'return new Uint8Array(1e9)',
    'const all = []; for (;;) all.push(new ArrayBuffer(100_000))',
    'return Array.from({ length: 1e6 }, (_, i) => ({ i }))',
    '(function f() { f() })()',
    'JSON.parse("[".repeat(1e6))',
    'let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; return JSON.stringify(deep)',
    'new RegExp("(".repeat(1e5) + ")".repeat(1e5))',
    'eval("(".repeat(1e5))',
    'let f = () => {}; for (let i = 0; i < 1e5; i++) f = f.bind(); f()',
  ])('%s', async (body) => {
    const other = await start('exports.go = () => 1')
    const runtime = await start(`exports.go = () => { ${body} }`, { computeLimitMs: 5000 })
    expect(await outcome(runtime)).not.toMatch(/^got/)
    expect(await outcome(other)).toBe('got number')
  })
})

describe('a program that spoils the language under the prelude spoils only itself', () => {
  test.each([
    'JSON.stringify = () => "5"',
    'JSON.stringify = () => "null"',
    'JSON.stringify = () => "[["',
    'JSON.stringify = () => \'[["v","__proto__","00"]]\'',
    'JSON.stringify = () => \'[["v","constructor","00"]]\'',
    'JSON.stringify = () => \'[["M",0,1]]\'',
    'JSON.stringify = () => \'[["b","x"]]\'',
    'JSON.stringify = () => \'[["a",4294967295,9,"__proto__"]]\'',
    'JSON.stringify = () => \'[["a",4294967295]]\'',
    'JSON.stringify = () => \'[["l",[1],[1],[1],[1],[1],[1]],["o","name","x","below",[0]]]\'',
    'JSON.stringify = () => \'[["e","__proto__","m","s","__proto__",0]]\'',
    'JSON.stringify = () => \'[["e","x","m","s","stack",0,"message",0,"cause",0]]\'',
    'JSON.stringify = () => \'[["r","(","x"]]\'',
    'JSON.stringify = () => ({ toString() { throw 1 } })',
    'JSON.stringify = () => Symbol()',
    'JSON.stringify = () => "[" + "[],".repeat(1e5) + "0]"',
    'Map.prototype.get = () => 0; Map.prototype.set = () => { throw 1 }',
    'Array.prototype.push = () => 0',
    'Object.prototype.then = (done) => done(5)',
    'Object.prototype.toJSON = () => 5',
    'Promise.prototype.then = function () { return this }',
    'Reflect.apply = () => { throw 1 }',
    'Object.hasOwn = () => true',
    'Object.defineProperty(Object.prototype, 0, { get() { throw 1 } })',
    'Function.prototype.toString = () => ""',
    'globalThis.Error = globalThis.Promise = globalThis.Map = undefined',
    'delete globalThis.Object',
    'Object.freeze(Object.prototype); Object.freeze(Array.prototype)',
  ])('%s', async (body) => {
    const other = await start('exports.go = () => 1')
    const runtime = new QuickJsConfineRuntime({
      source: `exports.go = () => [{ a: 1 }]; exports.throws = () => { throw new Error('x') }; exports.host = async () => await host({ b: 1 }); ${body}`,
      globals: { host: (value: unknown) => value },
    })
    await Promise.race([runtime.run().catch(() => {}), turns()])
    for (const name of ['go', 'throws', 'host', 'toString']) await Promise.race([outcome(runtime, name), turns()])
    runtime.describeAPI()
    expect(await outcome(other)).toBe('got number')
    expect(({} as { a?: unknown }).a).toBeUndefined()
    await runtime.close()
    expect(await outcome(runtime)).toMatch(/^ERR_CONFINE_CONTAINER_CLOSED/)
  })
})

test('calls of the host that nobody awaits are bounded', async () => {
  let calls = 0
  const runtime = await start('exports.go = () => { for (let i = 0; i < 10_100; i++) host(i).catch(() => {}); return 1 }', {
    globals: { host: () => new Promise(() => calls++) },
    computeLimitMs: 5000,
    memoryLimitMiB: 64,
  })
  expect(await outcome(runtime)).toBe('got number')
  await turns()
  expect(calls).toBe(10_000)
})

test('an answer that comes after the end does no harm', async () => {
  let answer = (_: unknown) => {}
  const runtime = await start('exports.go = () => host()', { globals: { host: () => new Promise((resolve) => (answer = resolve)) } })
  const waiting = outcome(runtime)
  await turns()
  await runtime.close()
  answer(5)
  expect(await waiting).toMatch(/^ERR_CONFINE_CONTAINER_CLOSED/)
  await turns()
})

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
