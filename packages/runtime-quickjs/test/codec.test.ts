import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codec } from '../src/inside/codec.ts'

const { encode, decode } = codec()
const travel = (value: unknown): any => decode(encode(value))

const views = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array]

test('values arrive as they were', () => {
  const scalar = fc.oneof(
    ...[fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.bigInt(), fc.boolean(), fc.constantFrom(null, undefined, -0, 0)],
    fc.date({ noInvalidDate: false }),
  )
  const bytes = fc.tuple(fc.constantFrom(...views), fc.uint8Array({ maxLength: 3000 })).map(([View, { buffer }]) => {
    return new View(buffer.slice(0, buffer.byteLength - (buffer.byteLength % 8)))
  })
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { withCrossShrink: true, maxDepth: 4 },
      scalar,
      bytes,
      fc.array(tie('value'), { maxLength: 6 }),
      fc.sparseArray(tie('value'), { maxNumElements: 5, maxLength: 20 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', '0')), tie('value'), { noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    ),
  }))
  fc.assert(
    fc.property(value, (given) => {
      expect(travel(given)).toStrictEqual(structuredClone(given))
    }),
  )
})

test('what is one object stays one, in circles too', () => {
  const shared = { a: 1 }
  const list: unknown[] = [shared, shared, [shared]]
  list.push(list)
  const arrived = travel(list)
  expect(arrived[0]).toBe(arrived[1])
  expect(arrived[2][0]).toBe(arrived[0])
  expect(arrived[3]).toBe(arrived)
})

test('holes and a great length cost nothing', () => {
  const long = new Array(2 ** 32 - 1)
  long[7] = 'x'
  expect(encode(long).length).toBeLessThan(50)
  expect(travel(long)).toMatchObject({ length: 2 ** 32 - 1, 7: 'x' })
})

test('bytes of every value, and no NUL in the text', () => {
  const all = Uint8Array.from({ length: 5000 }, (_, index) => index)
  expect(encode(all)).not.toContain('\0')
  expect(travel(all)).toEqual(all)
  expect(travel(all.buffer)).toEqual(all.buffer)
})

describe('text that was not encoded', () => {
  const json = fc.json({ maxDepth: 4 })
  const table = fc.array(
    fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.tuple(
        fc.constantFrom('u', 'b', 'n', 'a', 'l', 'd', 'r', 'M', 'S', 'B', 'v', 'e', 'o', 'x'),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
      ),
    ),
    { minLength: 1, maxLength: 6 },
  )

  test('makes nothing but data, or throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          json,
          table.map((entries) => JSON.stringify(entries)),
        ),
        (text) => {
          let made: unknown
          try {
            made = decode(text)
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
            return
          }
          expect(() => structuredClone(made)).not.toThrow()
          expect(Object.getPrototypeOf({})).toBe(Object.prototype)
          expect(Object.keys(Object.prototype)).toEqual([])
        },
      ),
    )
  })

  test.each(['', '[]', '[["l",[1]]]', '[["l",{"a":1}]]', '[["l",[]]]', '[["o","k",["0"]]]', '[["l",[-1]]]', '[["S",[0.5]]]'])(
    '%s is refused',
    (text) => {
      expect(() => decode(text)).toThrow()
    },
  )
})
