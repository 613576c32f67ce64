import { describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

describe('functions', () => {
  test('are asynchronous and nested', async () => {
    const { call } = await start(
      'exports.run = async () => [add instanceof Function, add(1, 2) instanceof Promise, await add(1, 2), await a.b.c({ x: new Map([[1, 2]]) })]',
      {
        globals: { add: (x: number, y: number) => x + y, a: { b: { c: async (value: { x: Map<number, number> }) => value.x.get(1) } } },
      },
    )
    expect(await call('run')).toEqual([true, true, 3, 2])
  })

  test('fail with an error of the isolate: name, message, code, and no more', async () => {
    const { call } = await start(
      `exports.run = async () => { try { await fail() } catch (error) { return { isError: error instanceof TypeError, name: error.name, message: error.message, code: error.code, keys: Object.keys(error), stack: error.stack, cause: error.cause } } }`,
      { globals: { fail: () => Promise.reject(Object.assign(new TypeError('no', { cause: 1 }), { code: 'E_NO', secret: 1 })) } },
    )
    const seen = await call('run')
    expect(seen).toMatchObject({ isError: true, name: 'TypeError', message: 'no', code: 'E_NO', keys: ['code'], cause: undefined })
    expect(seen.stack).toContain('/guest/main.js')
    expect(seen.stack).not.toContain(import.meta.dirname)
  })

  test('cannot be given, nor give, what cannot be copied', async () => {
    const { call } = await start('exports.give = () => take({ a: Symbol() }); exports.take = () => give(); exports.ok = () => take(1)', {
      globals: { take: (value: unknown) => value, give: () => ({ a: Symbol('s') }) },
    })
    expect(await rejection(call('give'))).toMatchObject({
      name: 'ConfineError',
      code: 'ERR_CONFINE_VALUE',
      message: 'params[0].a: a symbol cannot cross between host and guest',
    })
    expect(await rejection(call('take'))).toMatchObject({
      name: 'ConfineError',
      code: 'ERR_CONFINE_VALUE',
      message: expect.stringContaining('The result cannot be copied into the isolate'),
    })
    expect(await call('ok')).toBe(1)
  })

  test.each([['text'], [undefined], [null], [{}], [Symbol('s')]])('that throw %o give an Error', async (thrown) => {
    const { call } = await start('exports.run = async () => { try { await fail() } catch (error) { return error instanceof Error } }', {
      globals: { fail: () => Promise.reject(thrown) },
    })
    expect(await call('run')).toBe(true)
  })
})

test('values are copied', async () => {
  const { call } = await start('exports.run = () => [answer, list, deep.value, none, when, map]', {
    globals: { answer: 42, list: [1], deep: { value: { x: 1 } }, none: null, when: new Date(5), map: new Map([[1, 2]]) },
  })
  expect(await call('run')).toEqual([42, [1], { x: 1 }, null, new Date(5), new Map([[1, 2]])])
})

test('names are never read as source', async () => {
  const names = ["a'];globalThis.owned=1;//", '__proto__', 'a b', '1x', 'class', '', '${1}', 'a\nb', 'constructor', 'prototype']
  const globals = Object.fromEntries(names.map((name) => [`x${name}`, () => name]))
  Object.defineProperty(globals, '__proto__', { value: { polluted: () => 1 }, enumerable: true })
  const { call } = await start(
    'exports.owned = () => typeof owned; exports.polluted = () => typeof ({}).polluted; exports.call = (name) => globalThis[name]()',
    { globals },
  )
  expect(await call('owned')).toBe('undefined')
  expect(await call('polluted')).toBe('undefined')
  for (const name of names) expect(await call('call', `x${name}`)).toBe(name)
})

test('globals that contain themselves are refused', async () => {
  const globals: Record<string, unknown> = {}
  globals.a = { globals }
  expect(await rejection(start('', { globals }))).toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})

test('globals that cannot be copied are refused', async () => {
  expect(await rejection(start('', { globals: { bad: [() => {}] } }))).toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})

describe('console', () => {
  test('replaces only what is given, and its failure ends nothing', async () => {
    const logs: unknown[] = []
    const { call, errors } = await start(
      "console.log('a', { b: 1 }); console.warn('fails'); exports.types = () => [typeof console.error, typeof console.table]",
      {
        globals: { console: { log: (...args: unknown[]) => logs.push(args), warn: () => Promise.reject(new Error('full')) } },
      },
    )
    expect(await call('types')).toEqual(['function', 'function'])
    expect(logs).toEqual([['a', { b: 1 }]])
    expect(errors).toEqual([])
  })
})
