import { describe, expect, test } from 'vitest'
import { formatter } from '../../src/inside/format.ts'

const { format } = formatter()

describe('format', () => {
  test.each<[unknown[], string]>([
    [[], ''],
    [['text'], 'text'],
    [['a', 'b'], 'a b'],
    [[1, -0, 2n, true, null, undefined, Symbol('s')], '1 -0 2n true null undefined Symbol(s)'],
    [['%s is %d%%', 'x', 5, 'more'], 'x is 5% more'],
    [['%s'], '%s'],
    [['%i %f', '5.5', '5.5'], '5 5.5'],
    [['%j', { a: 1 }], '{"a":1}'],
    [['%o %O', [1], { a: 1 }], '[ 1 ] { a: 1 }'],
    [['%c%s', 'color: red', 'x'], 'x'],
    [[{ a: { b: { c: { d: 1 } } } }], '{ a: { b: { c: [Object] } } }'],
    [[[1, 'two', [3]]], '[ 1, "two", [ 3 ] ]'],
    [[new Map([['k', 1]]), new Set([1])], 'Map { "k" => 1 } Set { 1 }'],
    [[new Uint8Array(2)], 'Uint8Array(2) [ 0, 0 ]'],
    [[new Date(0), new Date(Number.NaN), /a/g], '1970-01-01T00:00:00.000Z Invalid Date /a/g'],
    [[() => {}, class Mine {}, function named() {}], '[Function: (anonymous)] [Function: Mine] [Function: named]'],
    [
      [
        {
          'a b': 1,
          get x() {
            return 1
          },
        },
      ],
      '{ "a b": 1, x: [Getter] }',
    ],
    [
      [
        new (class Mine {
          x = 1
        })(),
      ],
      'Mine { x: 1 }',
    ],
    [[Object.create(null)], '[Object: null prototype] {}'],
  ])('%o', (args, text) => {
    expect(format(args)).toBe(text)
  })

  test('a circle, and errors', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(format([circle])).toBe('{ self: [Circular] }')
    expect(format([new TypeError('bad')])).toMatch(/^TypeError: bad\n {4}at /)
  })

  test('breaks long lines and cuts long lists', () => {
    expect(format([{ first: 'x'.repeat(40), second: 'y'.repeat(40) }])).toBe(
      `{\n  first: "${'x'.repeat(40)}",\n  second: "${'y'.repeat(40)}"\n}`,
    )
    expect(format([Array.from({ length: 1000 }, () => 1)])).toContain('... 900 more items')
  })

  test.each<[string, unknown]>([
    [
      'a proxy that throws',
      new Proxy(
        {},
        new Proxy(
          {},
          {
            get: () => () => {
              throw new Error('no')
            },
          },
        ),
      ),
    ],
    [
      'a getter that throws',
      {
        get toString() {
          throw new Error('no')
        },
        get [Symbol.toStringTag]() {
          throw new Error('no')
        },
      },
    ],
    [
      'JSON that throws',
      {
        toJSON() {
          throw new Error('no')
        },
      },
    ],
  ])('%s', (_, value) => {
    expect(format([value])).toBeTypeOf('string')
    expect(format(['%s %d %i %f %j %o', value, value, value, value, value, value])).toBeTypeOf('string')
  })
})
