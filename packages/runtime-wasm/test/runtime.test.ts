import { AbstractConfineRuntime } from 'abstract-confine-runtime'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import WasmConfineRuntime from '../src/index.ts'
import { wat } from './wat.ts'

async function start(source: string | Uint8Array, options: WasmConfineRuntime.Options = {}) {
  const exitCodes: unknown[] = []
  const runtime = new WasmConfineRuntime({ source, ...options })
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

/** What a program writes while a test runs. */
async function outputOf(act: () => Promise<unknown>): Promise<string> {
  const chunks: Uint8Array[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => chunks.push(Buffer.from(chunk as Uint8Array)) > 0)
  try {
    await act()
  } finally {
    write.mockRestore()
  }
  return Buffer.concat(chunks).toString()
}

test("is a subclass of npm's, and warms up", async () => {
  expect(new WasmConfineRuntime()).toBeInstanceOf(AbstractConfineRuntime as never)
  await WasmConfineRuntime.prepare()
})

/** Exports `fizzbuzz(n)`: 3 for Fizz, 5 for Buzz, 15 for both, else n. */
const fizzbuzz = wat(`(module
  (func (export "fizzbuzz") (param i32) (result i32)
    (if (result i32) (i32.eqz (i32.rem_u (local.get 0) (i32.const 15))) (then (i32.const 15))
    (else (if (result i32) (i32.eqz (i32.rem_u (local.get 0) (i32.const 5))) (then (i32.const 5))
    (else (if (result i32) (i32.eqz (i32.rem_u (local.get 0) (i32.const 3))) (then (i32.const 3))
    (else (local.get 0)))))))))`)

describe('fizzbuzz.wasm', () => {
  const words = new Map([
    [3, 'Fizz'],
    [5, 'Buzz'],
    [15, 'FizzBuzz'],
  ])
  const expected = '1 2 Fizz 4 Buzz Fizz 7 8 Fizz Buzz 11 Fizz 13 14 FizzBuzz'

  test.each([
    ['bytes', fizzbuzz],
    ['base64', Buffer.from(fizzbuzz).toString('base64')],
    [
      'base64 in lines',
      `${Buffer.from(fizzbuzz)
        .toString('base64')
        .replaceAll(/(.{60})/g, '$1\n')}\n`,
    ],
  ])('given as %s', async (_form, source) => {
    const { call } = await start(source)
    const got = await Promise.all(Array.from({ length: 15 }, (_, index) => call('fizzbuzz', index + 1)))
    expect(got.map((number) => words.get(number) ?? number).join(' ')).toBe(expected)
  })
})

describe('values', () => {
  test('numbers of each type, bigints, several at once and none', async () => {
    const { call } = await start(
      wat(`(module (func (export "i32") (param i32) (result i32) (local.get 0)) (func (export "i64") (param i64) (result i64) (local.get 0))
        (func (export "f32") (param f32) (result f32) (local.get 0)) (func (export "none")) (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2)))`),
    )
    expect(await call('i32', 2 ** 32 + 5)).toBe(5)
    expect(await call('i64', -5n)).toBe(-5n)
    expect(await call('f32', 0.5)).toBe(0.5)
    expect(await call('none')).toBeUndefined()
    expect([...(await call('two'))]).toEqual([1, 2n])
    expect(await rejection(call('i64', 5))).toMatchObject({ name: 'TypeError' })
  })

  test.each(['1', null, undefined, {}, [1], () => {}, true])('the parameter %o is refused', async (value) => {
    const { call } = await start(wat('(module (func (export "take") (param externref)))'))
    expect(await rejection(call('take', value))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  })

  test('a reference does not leave the module', async () => {
    const { call } = await start(
      wat('(module (func $f (export "f")) (elem declare func $f) (func (export "get") (result funcref) (ref.func $f)))'),
    )
    expect(await rejection(call('get'))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  })

  test('bytes and text cross by the memory', async () => {
    const { call, runtime } = await start(
      wat(`(module (memory (export "memory") 1) (func (export "upper") (param i32 i32)
        (block $done (loop $next (br_if $done (i32.eqz (local.get 1)))
          (i32.store8 (local.get 0) (i32.sub (i32.load8_u (local.get 0)) (i32.const 32)))
          (local.set 0 (i32.add (local.get 0) (i32.const 1))) (local.set 1 (i32.sub (local.get 1) (i32.const 1))) (br $next)))))`),
    )
    await call('memory.write', 100, new TextEncoder().encode('hello'))
    await call('upper', 100, 5)
    expect(new TextDecoder().decode(await call('memory.read', 100, 5))).toBe('HELLO')
    expect(runtime.describeAPI().children).toMatchObject([
      { name: 'upper' },
      { name: 'memory', children: [{ name: 'read' }, { name: 'write' }] },
    ])
    for (const params of [[65_536, 1], [-1, 1], [0, 65_537], [0.5, 1], [0], [2 ** 53, 1], ['0', 1]]) {
      expect(await rejection(call('memory.read', ...params))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
    }
    expect(await rejection(call('memory.write', 65_535, new Uint8Array(2)))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
    expect(await rejection(call('memory.write', 0, 'text'))).toMatchObject({ code: 'ERR_CONFINE_VALUE' })
    expect(await rejection(call('memory.constructor'))).toMatchObject({ code: -1 })
  })
})

describe('imports', () => {
  const adder = wat(
    '(module (import "env" "add" (func $add (param f64 f64) (result f64))) (import "env" "one" (global $one f64)) (func (export "more") (param f64) (result f64) (call $add (local.get 0) (global.get $one))))',
  )

  test('functions at the top are those of env, numbers are globals', async () => {
    const { call } = await start(adder, { globals: { add: async (a: number, b: number) => a + b, env: { one: 1 } } })
    expect(await call('more', 4)).toBe(5)
  })

  test.each([
    [{}, 'The module imports the function env.add, which the host does not give'],
    [{ add: 5 } as Record<string, unknown>, 'The module imports the function env.add, which the host does not give'],
    [{ add: () => 1 }, 'The module imports the global env.one, which the host does not give'],
    [{ add: () => 1, env: { one: 'x' } }, 'The module imports the global env.one, which the host does not give'],
  ])('%o is not enough', async (globals, message) => {
    expect(await rejection(start(adder, { globals }))).toMatchObject({ message })
  })

  test.each([
    ['text', 'x', 'add gave a string; a module takes numbers only'],
    ['an object', { valueOf: (): number => 5 }, 'add gave an object; a module takes numbers only'],
    ['null', null, 'add gave null; a module takes numbers only'],
  ])('a host that gives %s is refused', async (_what, result: unknown, message) => {
    const { call } = await start(adder, { globals: { add: () => result, env: { one: 1 } } })
    expect(await rejection(call('more', 1))).toMatchObject({ name: 'TypeError', message })
  })

  test('an error of the host comes through with name, message and code, and no paths', async () => {
    const fail = () => Promise.reject(Object.assign(new RangeError('no'), { code: 'E_NO', path: '/secret' }))
    const { call } = await start(adder, { globals: { add: fail, env: { one: 1 } } })
    const error = await rejection(call('more', 1))
    expect(error).toMatchObject({ name: 'RangeError', message: 'no', code: 'E_NO' })
    expect(error.path).toBeUndefined()
    expect(error.stack).not.toContain(import.meta.dirname)
  })

  test('a start function cannot wait for the host', async () => {
    const source = wat('(module (import "env" "f" (func $f)) (func $start (call $f)) (start $start))')
    expect(await rejection(start(source, { globals: { f: () => {} } }))).toMatchObject({ name: 'SuspendError' })
    // Nor be the host itself: nobody hears how that ends.
    await start(wat('(module (import "env" "f" (func $f)) (start $f))'), { globals: { f: () => Promise.reject(new Error('unheard')) } })
  })
})

describe('a WASI program', () => {
  /** Writes each argument and each variable, then its input, and ends. */
  const echo = wat(`(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $argsSizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $envSizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $put (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
    (func (export "_start")
      (if (call $argsSizes (i32.const 16) (i32.const 20)) (then unreachable))
      (if (call $args (i32.const 64) (i32.const 1024)) (then unreachable))
      (call $put (i32.const 1024) (i32.load (i32.const 20)))
      (if (call $envSizes (i32.const 16) (i32.const 20)) (then unreachable))
      (if (call $env (i32.const 64) (i32.const 1024)) (then unreachable))
      (call $put (i32.const 1024) (i32.load (i32.const 20)))
      (i32.store (i32.const 32) (i32.const 2048)) (i32.store (i32.const 36) (i32.const 100))
      (if (call $read (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 40)) (then unreachable))
      (call $put (i32.const 2048) (i32.load (i32.const 40)))))`)

  test('has its arguments, its environment, its input and its output, and ends', async () => {
    const seen: unknown[] = []
    const output = await outputOf(async () => {
      const { exitCodes, call } = await start(echo, { args: ['main', 'ä'], env: { KEY: 'value' }, stdin: 'input' })
      seen.push(exitCodes, await rejection(call('_start')))
    })
    expect(output).toBe('main\0ä\0KEY=value\0input')
    expect(seen).toMatchObject([[0], { code: 'ERR_CONFINE_CONTAINER_CLOSED' }])
  })

  const answers: Record<string, [string, string, number]> = {
    'open a file': [
      'path_open',
      '(i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)',
      8,
    ],
    'see what was opened for it': ['fd_prestat_get', '(i32.const 3) (i32.const 0)', 8],
    'write to a descriptor that is none': ['fd_write', '(i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0)', 8],
    'read its output': ['fd_read', '(i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0)', 8],
    'write from outside of its memory': ['fd_write', '(i32.const 1) (i32.const 65532) (i32.const 9) (i32.const 0)', 21],
    'read to outside of its memory': ['fd_read', '(i32.const 0) (i32.const -8) (i32.const 1) (i32.const 0)', 21],
    'take random bytes to outside of its memory': ['random_get', '(i32.const 65530) (i32.const 100)', 21],
    'see a clock that there is not': ['clock_time_get', '(i32.const 9) (i64.const 0) (i32.const 0)', 28],
    'see a clock': ['clock_time_get', '(i32.const 0) (i64.const 0) (i32.const 0)', 0],
    'connect a socket': ['sock_send', '(i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)', 8],
    'send itself a signal': ['proc_raise', '(i32.const 9)', 52],
  }

  test.each(Object.entries(answers))('that tries to %s', async (_act, [name, params, errno]) => {
    const types = [...params.matchAll(/(i\d\d)\.const/g)].map(([, type]) => type).join(' ')
    const { call } = await start(
      wat(`(module (import "wasi_snapshot_preview1" "${name}" (func $f (param ${types}) (result i32))) (memory (export "memory") 1)
        (func (export "go") (result i32) (call $f ${params})))`),
    )
    expect(await call('go')).toBe(errno)
  })

  test('cannot write without end', async () => {
    const source = wat(`(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 17) (data (i32.const 0) "\\10\\00\\00\\00\\00\\00\\10\\00")
      (func (export "go") (result i32) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))`)
    let codes: unknown[] = []
    const output = await outputOf(async () => {
      const { call } = await start(source, { outputLimitMiB: 2 })
      codes = [await call('go'), await call('go'), await call('go')]
    })
    expect(codes).toEqual([0, 0, 51])
    expect(output.length).toBe(2 ** 21)
  })
})

test.each([
  { source: 'no base64!' },
  { source: fizzbuzz, memoryLimitMiB: 0 },
  { source: fizzbuzz, args: ['a\0b'] },
  { source: fizzbuzz, env: { A: 5 as never } },
  { source: fizzbuzz, stdin: 5 as never },
  { source: fizzbuzz, globals: 5 as never },
])('%o is refused', async (options) => {
  expect(await rejection(new WasmConfineRuntime(options).init())).toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})
