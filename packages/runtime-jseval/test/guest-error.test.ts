import vm from 'node:vm'
import { describe, expect, test } from 'vitest'
import { guestError } from '../src/guest-error.ts'

const path = '/guest/main.js'
const make = (thrown: unknown) => guestError(thrown, (name) => name === path)

describe('an error', () => {
  test('keeps name, message, code, data and cause, of any realm', () => {
    const thrown = vm.runInNewContext(`
      class AppError extends Error { name = 'AppError' }
      Object.assign(new AppError('it broke', { cause: new TypeError('below') }), { code: 'E_APP', details: { at: [1, 2] }, retry: false })`)
    const error = make(thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'AppError', message: 'it broke', code: 'E_APP', details: { at: [1, 2] }, retry: false })
    expect(error.cause).toBeInstanceOf(TypeError)
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'below' })
    expect(Object.keys(error).sort()).toEqual(['code', 'details', 'retry'])
  })

  test.each([RangeError, SyntaxError, TypeError, ReferenceError, EvalError, URIError])('stays a %o', (Native) => {
    expect(make(vm.runInNewContext(`new ${Native.name}('x')`))).toBeInstanceOf(Native)
  })

  test('keeps the errors that it is made of', () => {
    const error = make(new AggregateError([new Error('one'), 2], 'both')) as AggregateError
    expect(error).toMatchObject({ name: 'AggregateError', message: 'both', errors: [{ message: 'one' }, 2] })
  })

  test('keeps a code that stands on its prototype', () => {
    expect(make(new DOMException('aborted', 'AbortError'))).toMatchObject({ name: 'AbortError', message: 'aborted', code: 20 })
  })

  test('that causes itself ends somewhere', () => {
    const thrown = new Error('round')
    thrown.cause = thrown
    let depth = 0
    for (let error: unknown = make(thrown); error instanceof Error; error = error.cause) depth++
    expect(depth).toBeLessThan(20)
  })
})

describe('a stack', () => {
  const stack = (text: string) => make(Object.assign(new Error('x'), { stack: text })).stack

  test("keeps the program's frames and drops the process's", () => {
    expect(
      stack(`Error: x
    at f (/guest/main.js:3:5)
    at eval (eval at g (/guest/main.js:1:1), <anonymous>:1:7)
    at Array.map (<anonymous>)
    at async Promise.all (index 0)
    at async /guest/main.js:9:1
    at copyError (confine:realm:77:19)
    at JsEval.run (/home/me/node_modules/jseval-confine-runtime/dist/index.cjs:1:1)
    at file:///home/me/x.mjs:1:1
    at node:internal/timers:5:1
    at C:\\Users\\me\\x.js:1:1`),
    ).toBe(`Error: x
    at f (/guest/main.js:3:5)
    at eval (eval at g (/guest/main.js:1:1), <anonymous>:1:7)
    at Array.map (<anonymous>)
    at async Promise.all (index 0)
    at async /guest/main.js:9:1`)
  })

  test('keeps a message of many lines', () => {
    expect(stack('Error: one\ntwo\nthree\n    at /guest/main.js:1:1')).toBe('Error: one\ntwo\nthree\n    at /guest/main.js:1:1')
  })

  test('is bounded', () => {
    expect(stack('x'.repeat(10_000_000))!.length).toBeLessThan(100_000)
  })
})

const hostile: Record<string, unknown> = {
  undefined,
  null: null,
  number: 5,
  NaN: Number.NaN,
  bigint: 5n,
  boolean: false,
  string: 'text',
  'empty string': '',
  'long string': 'x'.repeat(10_000_000),
  symbol: Symbol('s'),
  function: () => {},
  array: [1, 2],
  object: {},
  'object without prototype': Object.create(null),
  'object with data': { code: 5, reason: 'r' },
  'frozen error': Object.freeze(new Error('frozen')),
  'error without a prototype': Object.setPrototypeOf(new Error('bare'), null),
  'throwing getters': Object.defineProperties(
    new Error('x'),
    Object.fromEntries(
      ['name', 'message', 'stack', 'cause', 'code', 'more'].map((key) => [
        key,
        {
          enumerable: true,
          get() {
            throw new Error('no')
          },
        },
      ]),
    ),
  ),
  'fields that are no text': Object.assign(new Error('x'), { name: 5, stack: {}, message: [] }),
  'proxy that throws': new Proxy(
    new Error('x'),
    new Proxy(
      {},
      {
        get: () => () => {
          throw new Error('no')
        },
      },
    ),
  ),
  'proxy that lies': new Proxy(
    {},
    {
      get: () => 'lie',
      has: () => true,
      ownKeys: () => ['a'],
      getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
    },
  ),
  'revoked proxy': revoked(),
  'deep cause': Array.from({ length: 1000 }).reduce<Error>((cause) => new Error('deep', { cause }), new Error('end')),
  'many fields': Object.assign(new Error('x'), Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]))),
  'fields with dangerous names': Object.assign(new Error('x'), JSON.parse('{"__proto__":{"polluted":1},"constructor":1,"toString":1}')),
}

describe('whatever is thrown', () => {
  test.each(Object.keys(hostile))('%s becomes an Error', (name) => {
    const error = make(hostile[name])
    expect(error).toBeInstanceOf(Error)
    expect(error.message).toBeTypeOf('string')
    expect(error.name).toBeTypeOf('string')
    expect(error.stack).toBeTypeOf('string')
    expect(error.message.length + (error.stack as string).length).toBeLessThan(300_000)
    expect(Object.keys(error).length).toBeLessThanOrEqual(65)
    expect((error as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('says what it was', () => {
    expect(make('text')).toMatchObject({ message: 'text', thrown: 'text' })
    expect(make(undefined).message).toBe('The program threw undefined')
    expect(make(null)).toMatchObject({ message: 'The program threw null', thrown: null })
    expect(make({ code: 5 })).toMatchObject({ message: 'The program threw an object that is no Error', code: 5 })
    expect(make({ name: 'Odd', message: 'like an error' })).toMatchObject({ name: 'Odd', message: 'like an error' })
  })
})

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
