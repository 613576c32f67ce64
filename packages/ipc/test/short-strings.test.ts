import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ShortStrings, shortBelow } from '../src/short-strings.ts'

test('what is remembered is what the bytes say, whatever was read before', () => {
  const strings = new ShortStrings()
  // Few letters, so that texts meet at one place again and again.
  const bytes = fc.array(fc.constantFrom(0, 97, 98, 255), { maxLength: shortBelow - 1 })
  fc.assert(
    fc.property(bytes, fc.nat(3), (text, offset) => {
      const memory = Buffer.from([...new Array<number>(offset).fill(7), ...text, 9])
      expect(strings.read(memory, offset, offset + text.length)).toBe(Buffer.from(text).toString('latin1'))
    }),
    { numRuns: 5000 },
  )
})
