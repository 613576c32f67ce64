import vm from 'node:vm'
import { describe, expect, test } from 'vitest'
import { guestError } from '../../src/guest-error.ts'
import { thrownReader } from '../../src/inside/thrown.ts'

const read = thrownReader()
/** As it crosses: copied. */
const make = (thrown: unknown) => guestError(structuredClone(read(thrown)))

describe('an error', () => {
  test('keeps name, message, code, data and cause', () => {
    class AppError extends Error {
      override name = 'AppError'
    }
    const error = make(
      Object.assign(new AppError('it broke', { cause: new TypeError('below') }), {
        code: 'E_APP',
        details: { at: [1, new Date(5)] },
        retry: false,
      }),
    )
    expect(error).toMatchObject({ name: 'AppError', message: 'it broke', code: 'E_APP', details: { at: [1, new Date(5)] }, retry: false })
    expect(error.cause).toBeInstanceOf(TypeError)
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'below' })
    expect(Object.keys(error).sort()).toEqual(['code', 'details', 'retry'])
  })

  test.each([RangeError, SyntaxError, TypeError, ReferenceError, EvalError, URIError])('stays a %o', (Native) => {
    expect(make(new Native('x'))).toBeInstanceOf(Native)
  })

  test('keeps the errors that it is made of', () => {
    expect(make(new AggregateError([new Error('one'), 2], 'both'))).toMatchObject({
      name: 'AggregateError',
      message: 'both',
      errors: [{ message: 'one' }, 2],
    })
  })

  test('that causes itself ends somewhere', () => {
    const thrown = new Error('round')
    thrown.cause = thrown
    let depth = 0
    for (let error: unknown = make(thrown); error instanceof Error; error = error.cause) depth++
    expect(depth).toBeLessThan(20)
  })

  test('loses what cannot cross, and keeps the rest', () => {
    const odd = { ok: 1, call() {}, symbol: Symbol('s'), map: new Map(), deep: { ok: 2, call() {} } }
    expect(make(Object.assign(new Error('x'), odd))).toMatchObject({ ok: 1, deep: { ok: 2 } })
  })
})

const hostile: Record<string, unknown> = {
  undefined,
  null: null,
  number: 5,
  bigint: 5n,
  string: 'text',
  'long string': 'x'.repeat(10_000_000),
  symbol: Symbol('s'),
  function: () => {},
  object: {},
  'object without prototype': Object.create(null),
  'frozen error': Object.freeze(new Error('frozen')),
  'error without a prototype': Object.setPrototypeOf(new Error('bare'), null),
  'throwing getters': Object.defineProperties(
    new Error('x'),
    Object.fromEntries(
      ['name', 'message', 'stack', 'cause', 'code', 'errors', 'more'].map((key) => [
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
  'errors that lie': Object.assign(new Error('x'), { errors: new Proxy([], { get: (_, key) => (key === 'length' ? Infinity : 1) }) }),
  'revoked proxy': revoked(),
  'deep cause': Array.from({ length: 1000 }).reduce<Error>((cause) => new Error('deep', { cause }), new Error('end')),
  'deep data': Object.assign(new Error('x'), { data: Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1) }),
  'circular data': Object.assign(new Error('x'), { data: circle() }),
  'many fields': Object.assign(new Error('x'), Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]))),
  'fields with dangerous names': Object.assign(new Error('x'), JSON.parse('{"__proto__":{"polluted":1},"constructor":1,"toString":1}')),
  'another realm': vm.runInNewContext('Object.assign(new RangeError("x"), { a: { b: [1] } })'),
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
    expect(make({ code: 5 })).toMatchObject({ message: 'The program threw an object that is no Error', code: 5 })
  })
})

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function circle() {
  const object: Record<string, unknown> = {}
  object.self = object
  return object
}
