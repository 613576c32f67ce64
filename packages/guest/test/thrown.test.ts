import { expect, test } from 'vitest'
import { thrownPayload } from '../src/thrown.ts'

const isOwnFrame = (line: string) => line.includes('/guest/')

test('an error is told with what it carries', () => {
  const cause = new Error('why')
  const error = Object.assign(new RangeError('far', { cause }), { code: 'E', extra: 1 })
  error.stack = 'RangeError: far\n    at f (/program.js:1:2)\n    at own (/guest/entry.cjs:3:4)'
  expect(thrownPayload(error, isOwnFrame)).toEqual({
    code: 'E',
    name: 'RangeError',
    message: 'far',
    stack: 'RangeError: far\n    at f (/program.js:1:2)',
    cause,
    details: { extra: 1 },
  })
})

test("an error's own details win over its other fields", () => {
  expect(thrownPayload(Object.assign(new Error('x'), { details: [1], other: 2 }), isOwnFrame).details).toEqual([1])
})

test.each([[undefined], [null], ['text'], [5], [5n], [Symbol('s')], [() => {}]])('%s is told as something that is no error', (thrown) => {
  const payload = thrownPayload(thrown, isOwnFrame)
  expect(payload).toMatchObject({ name: 'Error', details: thrown })
  expect(payload.message).toContain('no error')
})

test.each([
  [
    'a throwing getter',
    Object.defineProperty({ name: 'N' }, 'message', {
      get: () => {
        throw new Error('trap')
      },
    }),
  ],
  [
    'a throwing proxy',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap')
        },
        ownKeys: () => {
          throw new Error('trap')
        },
      },
    ),
  ],
  [
    'names that are no text',
    {
      name: 5,
      message: {
        toString: () => {
          throw new Error('trap')
        },
      },
      stack: [],
    },
  ],
  [
    'a throwing cause',
    Object.defineProperty(new Error('x'), 'cause', {
      get: () => {
        throw new Error('trap')
      },
    }),
  ],
])('%s is told without harm', (_name, thrown) => {
  expect(thrownPayload(thrown, isOwnFrame)).toMatchObject({ name: expect.any(String), message: expect.any(String) })
})
