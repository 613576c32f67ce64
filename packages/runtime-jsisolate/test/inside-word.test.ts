import { describe, expect, test } from 'vitest'
import { guestError } from '../src/guest-error.ts'
import { readDescription, readNames, readThrown } from '../src/inside-word.ts'

const odd = [
  undefined,
  null,
  5,
  'text',
  [],
  {},
  new Map(),
  { name: 5, message: {}, stack: 1, fields: 5, cause: 5, errors: [1, null] },
  { thrown: 1 },
  { cause: { thrown: { cause: { thrown: null } } } },
]

describe('whatever an isolate says', () => {
  test.each(odd)('%o makes an Error', (value) => {
    const error = guestError(readThrown(value))
    expect(error).toBeInstanceOf(Error)
    expect([typeof error.name, typeof error.message, typeof error.stack]).toEqual(['string', 'string', 'string'])
  })

  test.each(odd)('%o makes a description and names', (value) => {
    expect(readDescription(value)).toEqual([])
    for (const name of readNames(value)) expect(name).toBeTypeOf('string')
  })

  test('keeps what is as it should be', () => {
    const children = [
      { type: 'method', name: 'a' },
      {
        type: 'object',
        name: 'b',
        children: [
          { type: 'method', name: 'c' },
          { type: 'evil', name: 'x' },
          { type: 'method', name: 5 },
        ],
      },
    ]
    expect(readDescription([...children, 5, { type: 'object', name: 'd' }])).toEqual([
      { type: 'method', name: 'a' },
      { type: 'object', name: 'b', children: [{ type: 'method', name: 'c' }] },
      { type: 'object', name: 'd', children: [] },
    ])
  })

  test('ends, though it does not', () => {
    const circle: Record<string, unknown> = { name: 'Error', message: 'm', type: 'object', fields: {} }
    circle.cause = { thrown: circle }
    circle.children = Array(20).fill(circle)
    expect(guestError(readThrown(circle)).message).toBe('m')
    expect(readDescription([circle])).toHaveLength(1)
    expect(readDescription(Object.assign(new Array(2 ** 32 - 1), [circle]))).toHaveLength(1)
    expect(readNames(Object.assign(new Array(2 ** 32 - 1), ['a']))).toEqual(['a'])
  })
})
