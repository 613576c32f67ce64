import { expect, test } from 'vitest'
import { plainText } from '../src/plain-text.ts'

test('types leave blanks behind', () => {
  expect(plainText('const x: number = 1', 'ts', '/p.ts')).toBe('const x         = 1')
  expect(plainText('const x: number = 1', 'js', '/p.ts')).toBe('const x: number = 1')
})

test.each([
  ['let x: = 5;', 'ERR_INVALID_TYPESCRIPT_SYNTAX', 'let x: = 5;\n       ^'],
  ['\nenum A { x }\n', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', 'enum A { x }\n^^^^^^^^^^^^'],
])('%j is refused, with its place', (text, code, shown) => {
  let thrown: any
  try {
    plainText(text, 'ts', '/guest/p.ts')
  } catch (error) {
    thrown = error
  }
  const line = text.startsWith('\n') ? 2 : 1
  expect(thrown).toMatchObject({ name: 'SyntaxError', code })
  expect(thrown.stack).toMatch(/^\/guest\/p\.ts:/)
  expect(thrown.stack).toContain(`/guest/p.ts:${line}\n`)
  expect(thrown.stack).toContain(`\n${shown}\n\nSyntaxError: `)
})
