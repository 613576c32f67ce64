import { describe, expect, test, vi } from 'vitest'
import { rejection, start } from './start.ts'

describe('functions', () => {
  test('are asynchronous, nested and of the program realm', async () => {
    const runtime = await start(
      'exports.run = async () => [add instanceof Function, add(1, 2) instanceof Promise, await add(1, 2), await a.b.c(), (await list()) instanceof Array]',
      {
        globals: { add: (x: number, y: number) => x + y, a: { b: { c: async () => 'deep' } }, list: () => [] },
      },
    )
    expect([...((await runtime.handleAPICall('run')) as unknown[])]).toEqual([true, true, 3, 'deep', true])
  })

  test('fail with an error of the program realm: name, message and code', async () => {
    const runtime = await start(
      `exports.run = async () => { try { await fail() } catch (error) { return { isError: error instanceof TypeError, name: error.name, message: error.message, code: error.code, keys: Object.keys(error).join(), stack: error.stack, cause: error.cause } } }`,
      { globals: { fail: () => Promise.reject(Object.assign(new TypeError('no', { cause: 1 }), { code: 'E_NO', secret: 1 })) } },
    )
    const seen = (await runtime.handleAPICall('run')) as any
    expect(seen).toMatchObject({ isError: true, name: 'TypeError', message: 'no', code: 'E_NO', keys: 'code', cause: undefined })
    expect(seen.stack).toContain('/guest/main.js')
  })

  test('that throw no error throw the same', async () => {
    const runtime = await start('exports.run = () => fail()', { globals: { fail: () => Promise.reject('text') } })
    expect(await rejection(runtime.handleAPICall('run'))).toMatchObject({ thrown: 'text' })
  })
})

test('values are copied', async () => {
  const runtime = await start('exports.run = () => [answer, list instanceof Array, deep.value.x, none === null]', {
    globals: { answer: 42, list: [1], deep: { value: { x: 1 } }, none: null },
  })
  expect([...((await runtime.handleAPICall('run')) as unknown[])]).toEqual([42, true, 1, true])
})

test('names are never read as source', async () => {
  const names = ["a'];globalThis.owned=1;//", '__proto__', 'a b', '1x', 'class', '', '${1}', 'a\nb', 'constructor', 'prototype']
  const globals = Object.fromEntries(names.map((name) => [`x${name}`, () => name]))
  Object.defineProperty(globals, '__proto__', { value: { polluted: () => 1 }, enumerable: true })
  const runtime = await start(
    'exports.owned = () => typeof owned; exports.polluted = () => typeof ({}).polluted; exports.call = (name) => globalThis[name]()',
    { globals },
  )
  expect(await runtime.handleAPICall('owned')).toBe('undefined')
  expect(await runtime.handleAPICall('polluted')).toBe('undefined')
  for (const name of names) expect(await runtime.handleAPICall('call', [`x${name}`])).toBe(name)
})

test.each([
  ['themselves', circle()],
  ['a name that cannot be', { undefined: 1 }],
])('globals with %s are refused', async (_, globals) => {
  expect(await rejection(start('', { globals }))).toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})

describe('console', () => {
  test('replaces only what is given', async () => {
    const log = vi.fn()
    const runtime = await start(
      "console.log('a', { b: 1 }); exports.types = () => [typeof console.error, typeof console.table, require('console') === console]",
      { globals: { console: { log } } },
    )
    expect(log.mock.calls).toEqual([['a', { b: 1 }]])
    expect([...((await runtime.handleAPICall('types')) as unknown[])]).toEqual(['function', 'function', true])
  })

  test('does not end the program when it fails', async () => {
    const seen: unknown[] = []
    process.on('unhandledRejection', (reason) => seen.push(reason))
    await start("console.log('x')", { globals: { console: { log: () => Promise.reject(new Error('full')) } } })
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(seen).toEqual([])
  })

  test('stays without one', async () => {
    expect((await start('exports.is = () => typeof console.log')).describeAPI().children).toHaveLength(1)
  })
})

function circle() {
  const globals: Record<string, unknown> = {}
  globals.a = { globals }
  return globals
}
