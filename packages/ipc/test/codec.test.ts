import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runInNewContext } from 'node:vm'
import { defaultLimits } from '../src/limits.ts'
import { MessageCodec } from '../src/message.ts'

const codec = new MessageCodec(defaultLimits, { errorStacks: false })
const guestCodec = new MessageCodec(defaultLimits, { errorStacks: true })

function cross(value: unknown, through = codec): any {
  const message = through.decode(through.encode({ type: 'result', id: 1, value }))
  if (message.type !== 'result') throw new Error('another type came back')
  return message.value
}

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withUnicodeString: true,
  withBoxedValues: false,
})

test('whatever structured clone copies arrives as structured clone copies it', () => {
  fc.assert(
    fc.property(anything, (value) => {
      expect(cross(value)).toStrictEqual(structuredClone(value))
    }),
    { numRuns: 1000 },
  )
})

test('numbers keep their exact value', () => {
  const numbers = [0, -0, 1, -1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), 2 ** 53, 1.5, Number.NaN, Infinity, -Infinity, 5e-324]
  for (const number of numbers) expect(cross(number)).toBe(number)
  fc.assert(fc.property(fc.double(), (number) => Object.is(cross(number), number)))
  fc.assert(fc.property(fc.bigInt(), (number) => cross(number) === number))
})

test('strings keep every code unit, lone surrogates included', () => {
  for (const text of ['', 'a', 'é'.repeat(30), '漢字', '\ud800', 'a\udc00b', '\u0000', 'x'.repeat(100_000), '😀'.repeat(1000)]) {
    expect(cross(text)).toBe(text)
  }
})

test.each([1, 16 * 1024 - 1, 16 * 1024, 300_000])('%i bytes arrive in memory of their own and exactly their size', (length) => {
  const bytes = new Uint8Array(length).map((_, index) => index)
  const first = cross(bytes)
  const second = cross([bytes, 'and more'])[0]
  expect(first).toEqual(bytes)
  expect(second).toEqual(bytes)
  for (const { buffer, byteOffset } of [first, second]) expect([byteOffset, buffer.byteLength]).toEqual([0, length])
  expect(first.buffer).not.toBe(second.buffer)
})

test('shared references stay shared and cycles stay closed', () => {
  const shared = { n: 1 }
  const copy = cross([shared, shared, new Map([[shared, shared]])])
  expect(copy[0]).toBe(copy[1])
  expect([...copy[2]][0]).toEqual([copy[0], copy[0]])
  expect([...copy[2]][0][1]).toBe(copy[0])
  const cycle: any = { list: [], set: new Set(), map: new Map() }
  cycle.list.push(cycle)
  cycle.set.add(cycle)
  cycle.map.set(cycle, cycle.list)
  const closed = cross(cycle)
  expect(closed.list[0]).toBe(closed)
  expect(closed.set.has(closed)).toBe(true)
  expect(closed.map.get(closed)).toBe(closed.list)
})

test('every kind of view keeps its type and only its own bytes', () => {
  const pool = new ArrayBuffer(64)
  const views = [
    new Uint8Array(pool, 8, 3),
    new Int16Array(pool, 8, 3),
    new BigUint64Array(pool, 8, 2),
    new Float16Array(pool, 8, 3),
    new Float64Array(pool, 8, 2),
    new Uint8ClampedArray(pool, 1, 2),
    new DataView(pool, 3, 5),
  ]
  for (const view of views) {
    const copy = cross(view)
    expect(copy.constructor).toBe(view.constructor)
    expect(copy.byteLength).toBe(view.byteLength)
    expect(copy.buffer.byteLength).toBe(view.byteLength)
  }
  expect(cross(Buffer.from('abc'))).toStrictEqual(new Uint8Array([97, 98, 99]))
})

test('errors keep class, cause and own fields; their stack stays where it may not leave', () => {
  const error = Object.assign(new RangeError('far', { cause: new TypeError('root') }), { code: 'E1', data: { n: 1 } })
  const copy = cross(error)
  expect(copy).toBeInstanceOf(RangeError)
  expect(copy).toMatchObject({ message: 'far', code: 'E1', data: { n: 1 } })
  expect(copy.cause).toBeInstanceOf(TypeError)
  expect(copy.stack).toBe('RangeError: far')
  expect(cross(error, guestCodec).stack).toBe(error.stack)
  class Custom extends Error {
    override name = 'Custom'
  }
  expect(cross(new Custom('x'))).toMatchObject({ name: 'Custom', message: 'x' })
  const many = cross(new AggregateError([new Error('a'), 5], 'many'))
  expect(many).toBeInstanceOf(AggregateError)
  expect(many.errors[1]).toBe(5)
})

test('values of another realm cross like our own', () => {
  const foreign = runInNewContext(
    '({ a: [1, , 3], m: new Map([[1, new Date(5)]]), s: new Set([/x/g]), e: new TypeError("t"), u: new Uint8Array(2) })',
  )
  const copy = cross(foreign)
  const sparse = [1, 2, 3]
  delete sparse[1]
  expect(copy.a).toStrictEqual(sparse)
  expect(copy.m).toStrictEqual(new Map([[1, new Date(5)]]))
  expect(copy.s).toStrictEqual(new Set([/x/g]))
  expect(copy.e).toBeInstanceOf(TypeError)
  expect(copy.u).toStrictEqual(new Uint8Array(2))
})

test('no data sets a prototype', () => {
  const copy = cross(JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'))
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  expect(Object.hasOwn(copy, '__proto__')).toBe(true)
  expect(({} as any).polluted).toBeUndefined()
})

test('objects of classes cross as their data', () => {
  class Point {
    x = 1
    get y() {
      return 2
    }
  }
  expect(cross(new Point())).toStrictEqual({ x: 1 })
})

test('what cannot cross is named with its place', () => {
  class Socket {
    handle = { on: () => {} }
  }
  const cases: [unknown, string][] = [
    [() => {}, 'result: a function cannot cross'],
    [[{ a: { 'b c': Symbol('x') } }], 'result[0].a["b c"]: a symbol cannot cross'],
    [{ list: [{ deep: { er: 1 } }, Promise.resolve()] }, 'result.list[1]: a Promise cannot cross'],
    [{ user: { socket: new Socket() } }, 'result.user.socket: a Socket cannot cross'],
    [new Map([['k', new WeakMap()]]), 'result.values[0]: a weak collection cannot cross'],
    [new Uint8Array(new SharedArrayBuffer(1)), 'result: a view of a SharedArrayBuffer cannot cross'],
  ]
  for (const [value, message] of cases) {
    expect(() => cross(value)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_VALUE', message: expect.stringContaining(message) }))
  }
})

test('a value beyond the limits is refused by its sender', () => {
  const small = new MessageCodec({ ...defaultLimits, maxMessageBytes: 5000, maxDepth: 10, maxObjects: 100 }, { errorStacks: false })
  let deep: unknown = 1
  for (let i = 0; i < 11; i++) deep = [deep]
  for (const value of ['x'.repeat(5000), deep, Array.from({ length: 101 }, () => ({}))]) {
    expect(() => small.encode({ type: 'result', id: 1, value })).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_LIMIT' }))
  }
  expect(cross('still works', small)).toBe('still works')
})

test('bytes that are no message are a protocol fault, whatever they are', () => {
  const valid = codec.encode({ type: 'request', id: 7, cid: 1, method: 'm', params: [{ a: [1n, new Map([[1, 2]])], e: new Error('x') }] })
  const isFaultOrMessage = (bytes: Uint8Array) => {
    try {
      codec.decode(bytes)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_CONFINE_PROTOCOL' })
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isFaultOrMessage), { numRuns: 5000 })
  const mutation = fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length))
  fc.assert(
    fc.property(mutation, ([place, byte, end]) => {
      const bytes = Uint8Array.from(valid)
      bytes[place] = byte
      isFaultOrMessage(bytes.subarray(0, end))
    }),
    { numRuns: 5000 },
  )
})

const hostile: [string, number[]][] = [
  ['nothing', []],
  ['an unknown type', [9]],
  ['an array that claims 2^52 elements', [2, 1, 0x0b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ['a number of nine bytes', [2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ['a reference to nothing', [2, 1, 0x0a, 5]],
  ['an object whose key is a number', [2, 1, 0x0d, 1, 0x04, 1, 0x04, 1]],
  ['half a UTF-16 character', [2, 1, 0x09, 1, 0x41]],
  ['a regular expression that is none', [2, 1, 0x11, 0x08, 1, 0x28, 0x08, 0]],
  ['a view of an unknown kind', [2, 1, 0x14, 200, 0]],
  ['three bytes of a Float64Array', [2, 1, 0x14, 11, 3, 0, 0, 0]],
  ['a boxed object', [2, 1, 0x15, 0x0d, 0]],
  ['bytes behind the message', [2, 1, 0x00, 0x00]],
  ['parameters that are no list', [1, 1, 1, 0x08, 0, 0x00]],
  ['an error that is no object', [3, 1, 0x04, 1]],
  ['nesting beyond the limit', [2, 1, ...Array.from({ length: 600 }, () => [0x0b, 1]).flat(), 0x00]],
]

test.each(hostile)('%s is a protocol fault', (_name, bytes) => {
  expect(() => codec.decode(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
})

test('reading a message that takes too long is given up', () => {
  // The clock of CPU time is coarse: less than nothing is used up at every look but the first.
  const impatient = new MessageCodec({ ...defaultLimits, maxDecodeMs: -1 }, { errorStacks: false })
  const bytes = codec.encode({ type: 'result', id: 1, value: Array.from({ length: 10_000 }, (_, i) => `${i}`) })
  expect(() => impatient.decode(bytes)).toThrow('reading it takes more than -1 ms')
})

test('a pattern that is slow to make is not made, at neither side', () => {
  const slow = '\\p{RGI_Emoji}'.repeat(33)
  const bytes = codec.encode({ type: 'result', id: 1, value: [slow, 'v'] })
  // The array of two strings becomes the regular expression of two strings.
  const forged = Buffer.concat([bytes.subarray(0, 2), Buffer.of(0x11), bytes.subarray(4)])
  expect(() => codec.decode(forged)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
  expect(() => cross(new RegExp('a'.repeat(40_000)))).toThrow('a regular expression of this size cannot cross')
  expect(cross(/\p{L}+\\p\d/u)).toStrictEqual(/\p{L}+\\p\d/u)
})

test('the sender counts the values of a message as its receiver does', () => {
  const anyLimit = (maxValues: number) => new MessageCodec({ ...defaultLimits, maxValues }, { errorStacks: true })
  const sparse: unknown[] = []
  sparse[2] = 1
  fc.assert(
    fc.property(anything, fc.constantFrom(new Error('x'), /a/g, new Date(), Object('s'), sparse), (value, more) => {
      for (let maxValues = 1; ; maxValues++) {
        const small = anyLimit(maxValues)
        try {
          small.decode(small.encode({ type: 'request', id: 1, cid: 1, method: 'm', params: [value, more] }))
          return
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('a getter that sends a message of its own does not disturb the one it stands in', () => {
  const value = {
    get inner() {
      return cross('text')
    },
    after: 1,
  }
  expect(cross(value)).toEqual({ inner: 'text', after: 1 })
})

test('attachments are those that the message names, each once', () => {
  const bytes = () => new Uint8Array(200_000).fill(3)
  const view = [2, 1, 0x19, 0]
  const read = (message: number[], attachments: Uint8Array<ArrayBuffer>[]) =>
    codec.read(Buffer.from(message), 0, message.length, undefined, attachments)
  expect(read(view, [bytes()])).toMatchObject({ type: 'result', value: bytes() })
  expect(read([2, 1, 0x18], [bytes()])).toMatchObject({ value: bytes().buffer })
  for (const [message, attachments] of [
    [view, []],
    [view, [bytes(), bytes()]],
    [[2, 1, 0x00], [bytes()]],
    [[2, 1, 0x19, 200], [bytes()]],
    // Three bytes too many for numbers of eight.
    [[2, 1, 0x19, 11], [new Uint8Array(200_003)]],
  ] as [number[], Uint8Array<ArrayBuffer>[]][]) {
    expect(() => read(message, attachments)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' }))
  }
})

test('attachments count towards the length of their message, at its sender', () => {
  const small = new MessageCodec({ ...defaultLimits, maxMessageBytes: 300_000 }, { errorStacks: false })
  const message = (...lengths: number[]) => ({ type: 'result' as const, id: 1, value: lengths.map((length) => new Uint8Array(length)) })
  const out = small.write(message(200_000), 0, undefined, true)
  expect([out.attachments.length, out.size]).toEqual([1, 200_000 + out.writer.length])
  for (const lengths of [[200_000, 200_000], [200_000, 99_990], [400_000]]) {
    expect(() => small.write(message(...lengths), 0, undefined, true)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_LIMIT' }))
  }
  expect(small.write(message(10), 0, undefined, true).attachments).toEqual([])
})
