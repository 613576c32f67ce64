import { expect, test } from 'vitest'
import { isModuleText, withImportCalls } from '../src/import-calls.ts'

test.each([
  ["import('x')", "$____0('x')"],
  ["import x from 'y'; import /* c */ ('x'); import.meta.url", "import x from 'y'; $____0 /* c */ ('x'); $____0.meta.url"],
  ["const $____0 = 1; import('x')", "const $____0 = 1; $____1('x')"],
])('%s', (text, expected) => {
  expect(withImportCalls(text)).toMatchObject({ text: expected })
})

test.each([
  "import x from 'y'",
  "a.import('x'); ({ import(x) {} })",
  '"import(\'x\')"; /import(x)/; `import.meta`; // import(1)',
  'let x = ; import(',
  '',
])('%s stays as it is', (text) => {
  expect(withImportCalls(text)).toEqual({ text })
})

test.each([
  ["import 'x'", true],
  ['export {}', true],
  ['import.meta', true],
  ['const x = 1\nexport default x', true],
  ["import('x')", false],
  ['exports.x = 1', false],
  ['module.exports = { import: 1 }', false],
  ['// export const x = 1', false],
  ['let x = ; export', false],
])('%s', (text, expected) => {
  expect(isModuleText(text)).toBe(expected)
})
