import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quoted } from '../../src/sbpl/expression.ts'
import { parse } from '../../src/sbpl/parse.ts'

describe('parse', () => {
  test('reads lists, symbols, text and comments', () => {
    expect(parse('; head\n(version 1) (allow file-read* ; why\n  (literal "/a \\"b\\" \\\\ ;)("))\n')).toEqual([
      ['version', '1'],
      ['allow', 'file-read*', ['literal', quoted('/a "b" \\ ;)(')]],
    ])
  })

  test('reads nothing from nothing', () => {
    expect(parse(' \n; only a comment')).toEqual([])
  })

  test.each([
    ['(allow', '1:7: a list is not closed'],
    ['(literal "/a', '1:13: a string is not closed'],
    ['(version 1))', '1:12: unexpected ")"'],
    ['(a)\n(literal "\\n")', '2:11: this character is not of the subset'],
    ['(literal "é")', '1:11: this character is not of the subset'],
    ['(literal "a\nb")', '1:12: this character is not of the subset'],
    ['(literal /a)', '1:10: unexpected "/"'],
    ['(regex #"^/a")', '1:8: unexpected "#"'],
    ["'(a)", '1:1: unexpected "\'"'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(new SyntaxError(`Cannot parse the Seatbelt profile at ${message}.`))
  })

  test('never hangs and never throws anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'()"\\; \na1-*'.split('')), maxLength: 200 }), (text) => {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      }),
    )
  })
})
