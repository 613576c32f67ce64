import ivm from 'isolated-vm'
import { describe, expect, test } from 'vitest'
import { isShared } from '../src/is-shared.ts'
import { packer } from '../src/inside/pack.ts'
import { unpacker } from '../src/inside/unpack.ts'

/** Tables of one side, and functions that unpack gives for their numbers. */
function tables() {
  const given = new Map<number, object>()
  const own = {
    give(_kind: string, value: object) {
      given.set(given.size + 1, value)
      return given.size
    },
    takeBack: (_kind: string, id: number) => void given.delete(id),
    isRefused: () => false,
    isShared,
  }
  const { pack, undo, whyNot } = packer(own, false)
  const unpack = unpacker({ callback: (id) => given.get(id) as Function, stream: (id) => given.get(id) as object })
  return { given, pack, undo, whyNot, unpack }
}

const named = (name: string, value: unknown): Record<string, unknown> => Object.fromEntries([[name, value]])

const { pack, unpack } = tables()

/** There and back by way of isolated-vm. */
const travel = (value: unknown): any => unpack(new ivm.ExternalCopy(pack(value, 'value')).copy())

test('a value without errors, functions and streams is itself', () => {
  for (const value of [undefined, null, 5, 'x', [], {}, [{ a: new Map([[1, new Set([2])]]) }], new Uint8Array(3), new Date()]) {
    expect(pack(value, 'value')).toEqual({ value })
    expect(pack(value, 'value').value).toBe(value)
  }
})

describe('functions and streams', () => {
  test('are markers on their way, and themselves behind it, wherever they are', () => {
    const fn = () => 1
    async function* stream() {}
    const one = stream()
    const copied = travel({ fn, list: [fn, one], map: new Map<unknown, unknown>([['k', fn]]), set: new Set([one]), n: -0 })
    expect(copied.fn).toBe(fn)
    expect(copied.list).toEqual([fn, one])
    expect(copied.map.get('k')).toBe(fn)
    expect([...copied.set]).toEqual([one])
    expect(copied.n).toBe(-0)
  })

  test('take no number when something beside them cannot cross', () => {
    class Holder {
      fn = () => 1
    }
    const { pack, given } = tables()
    for (const value of [
      [() => 1, new Holder()],
      { fn: () => 1, deep: named('then', () => 1) },
      [() => 1, new Error('x', { cause: () => 1 })],
    ]) {
      expect(() => pack(value, 'value')).toThrow('cannot cross between host and guest')
      expect(given.size).toBe(0)
    }
  })

  test('are named with their place when they cannot cross', () => {
    class Socket {
      fn = () => 1
    }
    expect(() => pack({ user: { socket: new Socket() } }, 'result')).toThrow('result.user.socket: a Socket cannot cross')
    expect(() => pack([named('then', () => 1)], 'result')).toThrow('result[0].then: a function of this name cannot cross')
  })

  test('do not come to stand where the language calls them, whatever the other side says', () => {
    const marker = {}
    const facts = [{ kind: 'callback', id: 1 }] as const
    for (const value of [named('then', marker), [{ toJSON: marker }], new Map([[1, { valueOf: marker }]])]) {
      expect(() => unpack({ value, markers: [marker], facts })).toThrow('malformed')
    }
    const error = { kind: 'error', name: 'E', message: 'm', stack: undefined, fields: named('then', marker) } as const
    expect(() => unpack({ value: 1, markers: [marker, {}], facts: [...facts, error] })).toThrow('malformed')
    for (const bad of [
      { markers: [1] },
      { facts: [] },
      { markers: [{}], facts: [] },
      { markers: [{}], facts: [null] },
      { markers: [{}], facts: [{}] },
    ]) {
      const packed = { value: 1, ...bad } as never
      if ('markers' in bad && 'facts' in bad) expect(() => unpack(packed)).toThrow()
      else expect(unpack(packed)).toBe(1)
    }
  })
})

test('errors keep class, cause and own fields', () => {
  const error = Object.assign(new RangeError('far', { cause: new TypeError('root') }), { code: 'E1', data: { n: 1 } })
  const copied = travel([error, new AggregateError([new Error('a'), 5], 'many')])
  expect(copied[0]).toBeInstanceOf(RangeError)
  expect(copied[0]).toMatchObject({ code: 'E1', data: { n: 1 }, cause: { message: 'root' } })
  expect(Object.keys(copied[0])).toEqual(['code', 'data'])
  expect(copied[1]).toBeInstanceOf(AggregateError)
  expect(copied[1].errors).toMatchObject([{ message: 'a' }, 5])
})

test('what structured clone would not copy is found, with its place', () => {
  const { whyNot } = tables()
  const cases: [unknown, string][] = [
    [{ user: { p: Promise.resolve() } }, 'result.user.p: a Promise'],
    [[{ 'b c': Symbol('x') }], 'result[0]["b c"]: a symbol'],
    [new Map([['k', new WeakMap()]]), 'result.values[0]: a weak collection'],
    [new Set([[new WeakRef({})]]), 'result.values[0][0]: a WeakRef'],
  ]
  for (const [value, text] of cases) expect(whyNot(value, 'result', structuredClone)).toBe(`${text} cannot cross between host and guest`)
  expect(whyNot({ a: [1, new Date()] }, 'result', structuredClone)).toBeUndefined()
})

describe('errors', () => {
  test('everywhere in a value can be copied', () => {
    const made = () => new RangeError('made', { cause: new TypeError('below') })
    const copied = travel({
      list: Object.assign([1], { 2: made() }),
      map: new Map([
        ['k', made()],
        [made(), 'v'],
      ] as never),
      set: new Set([made()]),
      date: new Date(5),
      bytes: new Uint8Array(2),
      deep: { deeper: made() },
    })
    for (const error of [copied.list[2], copied.map.get('k'), [...copied.map.keys()][1], [...copied.set][0], copied.deep.deeper]) {
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({ message: 'made', cause: { message: 'below' }, stack: 'RangeError: made' })
    }
    expect(1 in copied.list).toBe(false)
    expect(copied.date).toEqual(new Date(5))
    expect(copied.bytes).toEqual(new Uint8Array(2))
  })

  test('in circles', () => {
    const circle: Record<string, unknown> = { error: new Error('x') }
    circle.self = circle
    ;(circle.error as Error).cause = circle
    const copied = travel(circle)
    expect(copied.self).toBe(copied)
    expect(copied.error.cause).toBe(copied)
  })

  test('with dangerous names', () => {
    const copied = travel([JSON.parse('{"__proto__":{"polluted":1}}'), new Error('x')])
    expect(Object.hasOwn(copied[0], '__proto__')).toBe(true)
    expect(copied[0].polluted).toBeUndefined()
  })
})
