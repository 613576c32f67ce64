import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeenObjects } from '../src/seen-objects.ts'

test('each object has the place at which it came, however many there are, and none after the message', () => {
  const seen = new SeenObjects()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), (count) => {
      const objects = Array.from({ length: count }, () => ({}))
      for (const [index, object] of objects.entries()) {
        expect(seen.find(object)).toBe(-1)
        seen.add(object)
        expect(seen.size).toBe(index + 1)
      }
      expect(objects.map((object) => seen.find(object))).toEqual(objects.map((_, index) => index))
      seen.clear()
      expect([seen.size, ...objects.map((object) => seen.find(object))]).toEqual([0, ...objects.map(() => -1)])
    }),
  )
})
