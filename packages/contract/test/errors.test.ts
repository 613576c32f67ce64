import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { ConfineError, errorCodes } from '../src/errors.ts'

test('an error carries its code, cause and fields, and looks like an Error', () => {
  const cause = new Error('why')
  const error = new ConfineError('ERR_CONFINE_VALUE', 'no', { cause, fields: { cid: 3, end: undefined } })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'ConfineError', code: 'ERR_CONFINE_VALUE', message: 'no', cause, cid: 3 })
  expect('end' in error).toBe(false)
  expect(String(error)).toBe('ConfineError: no')
})

test('fields cannot replace what an error is', () => {
  const fields = { name: 'x', message: 'x', code: 'x', stack: 'x', cause: 'x', __proto__: null }
  const error = new ConfineError('ERR_CONFINE_VALUE', 'no', { fields })
  expect(error).toMatchObject({ name: 'ConfineError', message: 'no', code: 'ERR_CONFINE_VALUE' })
  expect(error.cause).toBeUndefined()
})

test('a copy of the class from elsewhere is recognised, other things are not', () => {
  class Copy extends Error {}
  Object.defineProperty(Copy.prototype, Symbol.for('confine-sandbox.error'), { value: true })
  expect(ConfineError.is(new Copy())).toBe(true)
  expect(ConfineError.is(new ConfineError('ERR_CONFINE_VALUE', 'x'))).toBe(true)
  for (const other of [new Error('x'), null, undefined, 'x', {}, runInNewContext('new Error()')]) expect(ConfineError.is(other)).toBe(false)
})

test('codes are unique and of one form', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length)
  for (const code of errorCodes) expect(code).toMatch(/^ERR_CONFINE_[A-Z_]+$/)
})
