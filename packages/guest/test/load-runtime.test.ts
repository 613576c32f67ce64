import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadRuntime } from '../src/load-runtime.ts'

function moduleFile(name: string, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const body = 'async init() {} async run() {} close() {} async handleAPICall() {} on() {}'

test.each([
  ['a CommonJS class', 'rt.cjs', `module.exports = class Mine { ${body} }`],
  ['a CommonJS default export', 'rt.cjs', `exports.default = class Mine { ${body} }`],
  ['an ES module', 'rt.mjs', `export default class Mine { ${body} }`],
  ['inherited methods', 'rt.cjs', `module.exports = class Mine extends (class { ${body} }) {}`],
])('%s is taken', (_name, file, text) => {
  expect(loadRuntime(moduleFile(file, text)).name).toBe('Mine')
})

test.each([
  ['an object', 'module.exports = {}', 'is no class'],
  ['an arrow function', 'module.exports = () => {}', 'is no class'],
  ['a class without methods', 'module.exports = class {}', 'has no init, no run'],
  ['a class without run', `module.exports = class { ${body.replace('async run() {}', '')} }`, 'has no run'],
  ['a module that throws', 'throw new Error("broken")', 'broken'],
  ['a module that does not parse', 'class {', 'Unexpected token'],
  ['a module that lacks a dependency', 'require("no-such-module")', 'no-such-module'],
])('%s is refused and says why', (_name, text, reason) => {
  expect(() => loadRuntime(moduleFile('rt.cjs', text))).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID', message: expect.stringContaining(reason) }),
  )
})

test("a bundle is taken, with Node's own modules and its own path", () => {
  const path = moduleFile(
    'rt.cjs',
    `module.exports = class Mine { ${body} }; module.exports.seen = [require('node:path').sep, __filename, __dirname]`,
  )
  expect((loadRuntime(path, {}) as never as { seen: unknown }).seen).toEqual(['/', path, dirname(path)])
})

test('an addon is loaded from the path that was given for its name', () => {
  const addon = moduleFile('it.node', 'no machine code')
  const load = (names: string) => () =>
    loadRuntime(moduleFile('rt.cjs', `for (const name of ${names}) require(name)`), { addons: { it: addon } })
  expect(load('["it"]')).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID', message: expect.stringMatching(/^Cannot load the runtime .*it\.node/) }),
  )
  expect(load('["toString"]')).toThrow(expect.objectContaining({ message: expect.stringContaining('asks for toString') }))
})

test.each([
  ['that asks for another file', 'require("./other.cjs")', 'asks for ./other.cjs'],
  ['that does not parse', 'class {', 'Unexpected token'],
  ['without a class', '', 'is no class'],
])('a bundle %s is refused and says why', (_name, text, reason) => {
  expect(() => loadRuntime(moduleFile('rt.cjs', text), {})).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID', message: expect.stringContaining(reason) }),
  )
})
