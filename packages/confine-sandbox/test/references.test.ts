import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Callback, type Container, type RemoteStream, Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

async function program(source: string, options: SandboxConstructorOpts): Promise<Container> {
  const sbx = new Sandbox({ maxContainers: 2, ...options })
  onTestFinished(() => sbx.teardown().then(() => {}))
  return await sbx.execContainer({ source })
}

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream) items.push(item)
  return items
}

describe.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('%s', (runtime) => {
  test('functions cross in parameters and results of both directions', async () => {
    const listeners: Callback[] = []
    const globals = {
      on: (listener: Callback) => {
        listeners.push(listener)
        return { off: () => listeners.length }
      },
    }
    const { call } = bound(
      await program(
        `exports.each = async (list, { fn }) => { const all = []; for (const x of list) all.push(await fn(x)); return all }
         exports.make = () => ({ double: async (x) => x * 2, map: (m) => [m instanceof Map, m.get(1)] })
         exports.listen = async () => (await on((x) => x + 1)).off()
         exports.fails = () => () => { throw Object.assign(new TypeError('no'), { code: 'E' }) }
         exports.hears = (fn) => fn().catch((error) => [error instanceof TypeError, error.message, error.code, error.stack.includes('packages')])`,
        { runtime, globals },
      ),
    )
    expect(await call('each', [1, 2], { fn: (n: number) => n * 10 })).toEqual([10, 20])
    const { double, map } = await call('make')
    expect(await double(21)).toBe(42)
    expect(await map(new Map([[1, 'one']]))).toEqual([true, 'one'])
    expect(await call('listen')).toBe(1)
    expect(await listeners[0]!(41)).toBe(42)
    await expect((await call('fails'))()).rejects.toMatchObject({
      code: 'ERR_CONFINE_GUEST_THREW',
      errorName: 'TypeError',
      errorCode: 'E',
      message: 'no',
      guestStack: expect.stringContaining('/guest/'),
    })
    const fail = () => Promise.reject(Object.assign(new TypeError('host'), { code: 'H', secret: 1 }))
    expect(await call('hears', fail)).toEqual([true, 'host', 'H', false])
    double.release()
    await expect(double(1)).rejects.toMatchObject({ code: 'ERR_CONFINE_REVOKED' })
  })

  test('streams cross, and stop when they are left', async () => {
    const stopped = vi.fn()
    const globals = {
      async *numbers(count: number) {
        try {
          for (let i = 0; i < count; i++) yield i
        } finally {
          stopped()
        }
      },
    }
    const { call } = bound(
      await program(
        `let stopped = 0
         exports.count = async function* (n) { try { for (let i = 0; i < n; i++) yield { i } } finally { stopped++ } }
         exports.stopped = () => stopped
         exports.sum = async (stream) => { let sum = 0; for await (const n of stream) sum += n; return sum }
         exports.host = async (count, most) => { let n = 0; for await (const i of await numbers(count)) if (++n === most) break; return n }
         exports.broken = async function* () { yield 1; throw new RangeError('broken') }`,
        { runtime, globals },
      ),
    )
    expect(await all(await call('count', 300))).toEqual(Array.from({ length: 300 }, (_, i) => ({ i })))
    for await (const { i } of (await call('count', 1e9)) as RemoteStream<{ i: number }>) if (i === 100) break
    await vi.waitFor(async () => expect(await call('stopped')).toBe(2), { timeout: 60_000 })
    expect(await call('sum', Readable.from([1, 2, 3]))).toBe(6)
    expect(await call('sum', ReadableStream.from([1, 2, 3]))).toBe(6)
    expect(await call('host', 500, -1)).toBe(500)
    expect(await call('host', 1e9, 200)).toBe(200)
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledTimes(2), { timeout: 60_000 })
    await expect(all(await call('broken'))).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_THREW', errorName: 'RangeError' })
  })

  test('with the container, all that crossed for it ends', async () => {
    const readable = new Readable({ read() {} })
    const container = await program(
      `exports.make = () => [() => new Promise(() => {}), (async function* () { yield 1 })()]
       exports.keep = (stream, fn) => { globalThis.kept = [stream, fn] }`,
      { runtime },
    )
    const { call } = bound(container)
    const [callback, stream] = (await call('make')) as [Callback, RemoteStream]
    await call('keep', readable, () => 1)
    const waiting = callback()
    await nextTurn()
    await container.close()
    for (const outcome of [waiting, callback(), stream.next()]) {
      await expect(outcome).rejects.toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
    }
    expect(readable.destroyed).toBe(true)
  })

  test('values keep their types, and what cannot cross is named with its place', async () => {
    const error = Object.assign(new RangeError('far', { cause: new TypeError('root') }), { code: 'E', data: { n: 1 } })
    const many = new AggregateError([new Error('a'), 5], 'many')
    const { call } = bound(
      await program(
        `exports.echo = (value) => value
         exports.make = () => { const list = [1, , -0]; return { list, self: list, e: Object.assign(new EvalError('x', { cause: 1 }), { code: 'C' }), u: new Float32Array(2) } }
         exports.bad = () => ({ user: { socket: new (class Socket { on = () => {} }) } })
         exports.worse = () => [{ then() {} }]
         exports.symbol = async () => send({ a: [Symbol('x')] }).catch((error) => [error.code, error.message])`,
        { runtime, globals: { send() {} } },
      ),
    )
    const echoed = await call('echo', [
      error,
      many,
      new Set([error]),
      -0,
      5n,
      Number.NaN,
      new Date(5),
      /x/g,
      new BigInt64Array(1),
      Object(1),
    ])
    expect(echoed[0]).toBeInstanceOf(RangeError)
    expect(echoed[0]).toMatchObject({ message: 'far', code: 'E', data: { n: 1 }, cause: { name: 'TypeError', message: 'root' } })
    expect(echoed[1]).toBeInstanceOf(AggregateError)
    expect(echoed[1].errors).toMatchObject([{ message: 'a' }, 5])
    expect([...echoed[2]][0]).toBe(echoed[0])
    expect(echoed.slice(3)).toStrictEqual([-0, 5n, Number.NaN, new Date(5), /x/g, new BigInt64Array(1), Object(1)])
    const { list, self, e, u } = await call('make')
    expect(self).toBe(list)
    expect([1 in list, Object.is(list[2], -0), u]).toEqual([false, true, new Float32Array(2)])
    expect(e).toMatchObject({ name: 'EvalError', cause: 1, code: 'C' })
    expect(e).toBeInstanceOf(EvalError)
    const place = (message: string) => ({ code: 'ERR_CONFINE_VALUE', message: `${message} cannot cross between host and guest` })
    await expect(call('bad')).rejects.toMatchObject(place('result.user.socket: a Socket'))
    await expect(call('worse')).rejects.toMatchObject(place('result[0].then: a function of this name'))
    await expect(call('echo', { user: { socket: new WeakMap() } })).rejects.toMatchObject(place('params[0].user.socket: a weak collection'))
    expect(await call('symbol')).toEqual(['ERR_CONFINE_VALUE', 'params[0].a[0]: a symbol cannot cross between host and guest'])
  })
})

function bound(container: Container) {
  return { call: (name: string, ...params: unknown[]): Promise<any> => container.call(name, params) }
}
