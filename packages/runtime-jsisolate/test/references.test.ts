import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Callback, RemoteStream } from '@confine-sandbox/contract'
import { expect, test, vi } from 'vitest'
import { rejection, start } from './start.ts'

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream) items.push(item)
  return items
}

test('functions go in and out, and can be called back', async () => {
  const { call } = await start(
    `exports.each = async (list, { fn }) => { const all = []; for (const x of list) all.push(await fn(x)); return all }
     exports.make = () => ({ double: (x) => x * 2, object: (o) => [o instanceof Object, o] })
     exports.kinds = (fn) => [typeof fn, fn instanceof Function, fn.name]
     exports.again = async (fn) => (await fn(async (n) => n + 1))(5)`,
  )
  expect(await call('each', [1, 2], { fn: async (n: number) => n + 1 })).toEqual([2, 3])
  const { double, object } = await call('make')
  expect(await double(21)).toBe(42)
  expect(await object({ a: 1 })).toEqual([true, { a: 1 }])
  expect(await call('kinds', () => 1)).toEqual(['function', true, 'callback'])
  expect(await call('again', (fn: Callback) => (n: number) => fn(n * 10))).toBe(51)
})

test('an error on the way reaches whoever called, as an error of its side', async () => {
  const { call } = await start(
    `exports.throws = () => () => { throw Object.assign(new TypeError('no'), { code: 'E' }) }
     exports.catches = (fn) => fn().catch((error) => [error instanceof RangeError, error.message, Object.keys(error)])`,
  )
  expect(await rejection((await call('throws'))())).toMatchObject({ name: 'TypeError', message: 'no', code: 'E' })
  const fail = () => Promise.reject(Object.assign(new RangeError('far'), { secret: 1 }))
  expect(await call('catches', fail)).toEqual([true, 'far', []])
})

test('what was released cannot be called any more, on either side', async () => {
  const { call } = await start(
    `let kept
     exports.make = () => () => 1
     exports.keep = (fn) => { kept = fn; fn.release() }
     exports.use = () => kept().catch((error) => error.message)`,
  )
  const callback: Callback = await call('make')
  callback.release()
  expect(await rejection(callback())).toMatchObject({ code: 'ERR_CONFINE_REVOKED' })
  const host = vi.fn()
  await call('keep', host)
  expect(await call('use')).toContain('no such function')
  expect(host).not.toHaveBeenCalled()
})

test('a program that forgets its functions can be given any number of them', async () => {
  const { call } = await start(
    `let junk
     exports.take = (list) => { junk = []; for (let i = 0; i < 200; i++) junk.push(new Array(20_000).fill(i)); return list.length }`,
  )
  const release = vi.fn()
  const callback = () => Object.assign(() => 1, { release, [Symbol.dispose]: release })
  for (let i = 0; i < 10; i++) await call('take', Array.from({ length: 100 }, callback))
  // An isolate tells of its garbage when it is entered the next time.
  const enter = async () => {
    await call('take', [])
    expect(release.mock.calls.length).toBeGreaterThan(100)
  }
  await vi.waitFor(enter, { timeout: 60_000 })
})

test('a program cannot give away more functions than the bound', async () => {
  const { call } = await start('exports.many = (n) => Array.from({ length: n }, () => () => 1)')
  expect(await rejection(call('many', 70_000))).toMatchObject({ code: 'ERR_CONFINE_VALUE', message: expect.stringContaining('65536') })
  expect(await call('many', 10)).toHaveLength(10)
})

test('streams go in and out', async () => {
  const { call } = await start(
    `exports.count = async function* (n) { for (let i = 0; i < n; i++) yield { i } }
     exports.own = () => ({ [Symbol.asyncIterator]() { let n = 0; return { next: async () => n < 3 ? { value: n++ } : { done: true } } } })
     exports.sum = async (stream) => { let sum = 0; for await (const n of stream) sum += n; return sum }
     exports.nested = async ({ list: [stream] }) => (await stream.next()).value`,
  )
  expect(await all(await call('count', 3))).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }])
  expect(await all(await call('own'))).toEqual([0, 1, 2])
  expect(await all(ReadableStream.from((await call('count', 2)) as RemoteStream))).toEqual([{ i: 0 }, { i: 1 }])
  expect(await call('sum', Readable.from([1, 2, 3]))).toBe(6)
  expect(await call('sum', ReadableStream.from([1, 2, 3]))).toBe(6)
  expect(await call('nested', { list: [Readable.from(['a'])] })).toBe('a')
})

test('leaving a stream early stops its source, on either side', async () => {
  const { call } = await start(
    `let stopped = false
     exports.count = async function* () { try { for (let i = 0; ; i++) yield i } finally { stopped = true } }
     exports.stopped = () => stopped
     exports.first = async (stream) => { for await (const n of stream) return n }`,
  )
  for await (const item of (await call('count')) as RemoteStream) if (item === 3) break
  await vi.waitFor(async () => expect(await call('stopped')).toBe(true), { timeout: 60_000 })
  const readable = Readable.from([1, 2, 3])
  expect(await call('first', readable)).toBe(1)
  await vi.waitFor(() => expect(readable.destroyed).toBe(true), { timeout: 60_000 })
})

test('what a source throws ends the iteration', async () => {
  const { call } = await start(
    `exports.broken = async function* () { yield 1; throw new RangeError('broken') }
     exports.read = async (stream) => { try { for await (const n of stream); } catch (error) { return [error.name, error.message] } }`,
  )
  const stream: RemoteStream = await call('broken')
  expect(await stream.next()).toEqual({ done: false, value: 1 })
  expect(await rejection(stream.next())).toMatchObject({ name: 'RangeError', message: 'broken' })
  const broken = async function* () {
    yield 1
    throw new TypeError('host side')
  }
  expect(await call('read', broken())).toEqual(['TypeError', 'host side'])
})

test('when the container closes, its functions fail and what it was given is let go', async () => {
  const { runtime, call } = await start(
    `exports.make = () => [() => 1, (async function* () { yield 1 })()]
     exports.keep = (fn, stream) => { globalThis.kept = [fn, stream] }`,
  )
  const [callback, stream] = (await call('make')) as [Callback, RemoteStream]
  const readable = Readable.from([1])
  const release = vi.fn()
  await call(
    'keep',
    Object.assign(() => 1, { release, [Symbol.dispose]: release }),
    readable,
  )
  await runtime.close()
  expect(await rejection(callback())).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
  expect(await rejection(stream.next())).toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
  expect(await stream.return()).toEqual({ done: true, value: undefined })
  expect(release).toHaveBeenCalled()
  await nextTurn()
  callback.release()
})

test('a program that bends the language keeps its functions and streams working', async () => {
  const { call } = await start(
    `const names = Object.getOwnPropertyNames
     for (const Class of [Map, Set, Object, Function, RegExp, WeakMap, FinalizationRegistry]) {
       for (const key of names(Class.prototype)) if (key !== 'constructor') try { Class.prototype[key] = null } catch {}
     }
     exports.make = () => ({ fn: (x) => x })
     exports.take = async ({ fn }) => fn(1)`,
  )
  expect(await (await call('make')).fn(7)).toBe(7)
  expect(await call('take', { fn: (n: number) => n + 1 })).toBe(2)
})

test.each(['({ then() { globalThis.ran = true } })', '[{ a: { then() {} } }]', '({ toJSON() {} })'])(
  'the result %s does not come out with a function that the language calls',
  async (source) => {
    const { call } = await start(`exports.make = () => [${source}]`)
    expect(await rejection(call('make'))).toMatchObject({
      code: 'ERR_CONFINE_VALUE',
      message: expect.stringContaining('a function of this name'),
    })
  },
)
