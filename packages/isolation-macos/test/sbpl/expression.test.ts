import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Expression, isSame, param, print, quoted } from '../../src/sbpl/expression.ts'
import { parse } from '../../src/sbpl/parse.ts'

const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
const symbols = fc.constantFrom('allow', 'deny', 'file-read*', 'SYS_open', '1', 'default')
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof({ maxDepth: 4 }, symbols, ascii.map(quoted), fc.array(tie('expression'), { maxLength: 5 })),
}))

describe('print', () => {
  test('escapes the backslash before the quote', () => {
    expect(print(['literal', quoted('/a\\"b')])).toBe(String.raw`(literal "/a\\\"b")`)
  })

  test('breaks a long rule after its head', () => {
    const path = quoted(`/${'a'.repeat(90)}`)
    expect(print(['allow', 'file-read*', ['literal', path], ['literal', path]])).toBe(
      `(allow file-read*\n  (literal "${path.text}")\n  (literal "${path.text}"))`,
    )
  })

  test('writes a parameter by its name', () => {
    expect(print(['subpath', param('READ_0')])).toBe('(subpath (param "READ_0"))')
  })

  test.each(['a b', 'a)', '(', '"', ';', '', 'a\n', '#', "'"])('refuses the symbol %j', (name) => {
    expect(() => print(['allow', name])).toThrow('as a symbol')
  })

  test.each(['é', '\n', '\0', '\t', '\u007f', '😀'])('refuses to quote %j: a parameter is for that', (text) => {
    expect(() => print(quoted(text))).toThrow('use a parameter')
  })

  test('what is printed is read back as it was', () => {
    fc.assert(
      fc.property(expression, (one) => {
        const [read, ...more] = parse(print(one))
        expect(more).toEqual([])
        expect(isSame(read!, one)).toBe(true)
      }),
    )
  })
})
