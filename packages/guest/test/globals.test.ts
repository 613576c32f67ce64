import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildGlobals } from '../src/globals.ts'

test('dotted names become nested objects', () => {
  expect(buildGlobals(Object.entries({ log: 1, 'a.b.c': 2, 'a.b.d': 3, 'a.e': 4 }))).toEqual({ log: 1, a: { b: { c: 2, d: 3 }, e: 4 } })
})

test('no name reaches a prototype', () => {
  const segment = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'a', 'polluted')
  const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((path) => path.join('.'))
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 5 }), (names) => {
      try {
        buildGlobals(names.map((key) => [key, {}]))
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
      expect(Object.keys(Object.prototype)).toEqual([])
      expect((() => {}) as unknown as { polluted: unknown }).not.toHaveProperty('polluted')
      expect({}).not.toHaveProperty('polluted')
    }),
  )
})
