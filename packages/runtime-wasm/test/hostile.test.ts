import { describe, expect, onTestFinished, test, vi } from 'vitest'
import WasmConfineRuntime from '../src/index.ts'
import { limitModule } from '../src/limited-module.ts'
import { wat } from './wat.ts'

async function start(source: Uint8Array, options: WasmConfineRuntime.Options = {}) {
  const runtime = new WasmConfineRuntime({ source, memoryLimitMiB: 1, ...options })
  onTestFinished(() => runtime.close())
  await runtime.run()
  return { runtime, call: (name: string, ...params: unknown[]): Promise<any> => runtime.handleAPICall(name, params) }
}

const message = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing was thrown',
    (error: Error) => error.message,
  )

describe('memory', () => {
  const grow = '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))'

  test.each([
    ['that has no maximum', `(memory 1) ${grow}`],
    ['whose maximum is too high', `(memory 1 65536) ${grow}`],
    ['that is imported', `(import "env" "memory" (memory 1)) ${grow}`],
  ])('%s grows to the limit and no further', async (_what, text) => {
    const { call } = await start(wat(`(module ${text})`))
    expect(await call('grow', 15)).toBe(1)
    expect(await call('grow', 1)).toBe(-1)
  })

  test('with a maximum of its own keeps it', async () => {
    const { call } = await start(wat(`(module (memory 1 3) ${grow})`))
    expect(await call('grow', 2)).toBe(1)
    expect(await call('grow', 1)).toBe(-1)
  })

  test.each([
    ['more than the limit from the start', '(memory 17)', /17 pages of memory from the start/],
    ['that threads share', '(memory 1 2 shared)', /threads share/],
    ['counted in 64 bits', '(memory i64 1)', /64 bits/],
    ['more than the limit, in several', '(memory 9) (memory 9)', /from the start/],
    ['that is imported and too large', '(import "env" "memory" (memory 17))', /from the start/],
  ])('%s is refused', async (_what, text, says) => {
    expect(await message(start(wat(`(module ${text})`)))).toMatch(says)
  })

  test('of tables is bounded, too', async () => {
    const { call } = await start(
      wat('(module (table $t 1 funcref) (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))'),
    )
    expect(await call('grow', 999_999)).toBe(1)
    expect(await call('grow', 1)).toBe(-1)
    expect(await message(start(wat('(module (table 1000001 funcref))')))).toMatch(/a table of 1000001 entries/)
  })
})

describe('a program', () => {
  test('that calls itself without end traps, and goes on', async () => {
    const { call } = await start(wat('(module (func $f (export "f") (call $f)) (func (export "one") (result i32) (i32.const 1)))'))
    expect(await message(call('f'))).toMatch(/call stack/)
    expect(await call('one')).toBe(1)
  })

  test('that catches its own exit calls nobody any more', async () => {
    let calls = 0
    const source = wat(`(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (import "env" "tell" (func $tell))
      (func (export "go") (try (do (call $exit (i32.const 3))) (catch_all)) (call $tell)))`)
    const { call, runtime } = await start(source, { globals: { tell: () => void calls++ } })
    const codes: unknown[] = []
    runtime.on('closed', (code) => codes.push(code))
    expect(await message(call('go'))).toMatch(/proc_exit\(3\)/)
    await new Promise((resolve) => setImmediate(resolve))
    expect([calls, codes]).toEqual([0, [3]])
  })

  test('that throws an exception of its own fails', async () => {
    const { call } = await start(wat('(module (tag $t) (func (export "go") (throw $t)))'))
    expect(await message(call('go'))).toBe('The program threw an exception of its own')
  })

  test('cannot hand a reference to the host', async () => {
    const got: unknown[] = []
    const source = wat(
      '(module (import "env" "take" (func $take (param funcref))) (func $f) (elem declare func $f) (func (export "go") (call $take (ref.func $f))))',
    )
    const { call } = await start(source, { globals: { take: (value: unknown) => void got.push(value) } })
    expect(await message(call('go'))).toMatch(/takes numbers only/)
    expect(got).toEqual([])
  })

  test('with names of every object is called by no other', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'a.b', '', 'memory.read']
    const { call, runtime } = await start(
      wat(`(module ${names.map((name, index) => `(func (export "${name}") (result i32) (i32.const ${index}))`).join(' ')})`),
    )
    for (const [index, name] of names.entries()) expect(await call(name)).toBe(index)
    expect(await message(call('valueOf'))).toMatch(/Method not found/)
    expect(runtime.describeAPI().children).toHaveLength(names.length)
  })

  test('imports nothing by inheritance', async () => {
    for (const [from, name] of [
      ['constructor', 'assign'],
      ['env', '__defineGetter__'],
      ['wasi_snapshot_preview1', 'toString'],
      ['__proto__', 'valueOf'],
    ]) {
      expect(await message(start(wat(`(module (import "${from}" "${name}" (func)))`), { globals: { env: {} } }))).toMatch(
        /which the host does not give/,
      )
    }
  })

  test('that waits inside the host does not answer after its end', async () => {
    let answer = (_: unknown) => {}
    const source = wat(
      '(module (import "env" "ask" (func $ask (result i32))) (func (export "go") (result i32) (drop (call $ask)) (call $ask)))',
    )
    let asked = 0
    const { call, runtime } = await start(source, {
      globals: { ask: () => (asked++ === 0 ? new Promise((resolve) => (answer = resolve)) : 5) },
    })
    const waiting = message(call('go'))
    await new Promise((resolve) => setImmediate(resolve))
    await runtime.close()
    answer(1)
    expect(await waiting).toMatch(/it was closed/)
    await new Promise((resolve) => setImmediate(resolve))
    expect(asked).toBe(1)
  })
})

test('calls that wait are bounded, and the next one runs', async () => {
  const answers: ((value: unknown) => void)[] = []
  const source = wat('(module (import "env" "ask" (func $ask)) (func (export "go") (call $ask)))')
  const { call } = await start(source, { globals: { ask: () => new Promise((resolve) => answers.push(resolve)) } })
  const waiting = Array.from({ length: 200 }, () => call('go'))
  await expect(call('go')).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
  for (const answer of answers) answer(undefined)
  await Promise.all(waiting)
  const next = call('go')
  await vi.waitFor(() => expect(answers).toHaveLength(201), { timeout: 60_000 })
  answers[200]!(undefined)
  await next
})

test('bytes that are no module, or half of one, are an error each', async () => {
  const whole =
    wat(`(module (import "env" "m" (memory 1)) (import "env" "t" (func (param i32))) (table 3 funcref) (global i32 (i32.const 5))
    (func (export "f") (result i32) (i32.const 1)) (data (i32.const 0) "x"))`)
  let state = 12_345
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const outcomes = new Set<string>()
  for (let round = 0; round < 2000; round++) {
    const bytes = whole.slice(0, round % 3 === 0 ? random(whole.length + 1) : whole.length)
    for (let change = random(4); change > 0; change--) bytes[random(bytes.length)] = random(256)
    // What rewrites modules must not fail otherwise on what the engine has not seen, either.
    try {
      limitModule(bytes, 16)
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError)
    }
    outcomes.add((await message(start(bytes, { globals: { t: () => {} } }))) === 'nothing was thrown' ? 'loaded' : 'refused')
  }
  expect([...outcomes].sort()).toEqual(['loaded', 'refused'])
})
