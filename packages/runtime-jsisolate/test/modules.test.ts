import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

let outer: string
let root: string
const main = () => join(root, 'main.js')

beforeAll(() => {
  outer = mkdtempSync(join(tmpdir(), 'jsisolate-'))
  root = join(outer, 'app')
  write('../secret.js', "module.exports = 'secret'")
  write('../secret.json', '"secret"')
  write('one.js', 'exports.name = "one"; exports.filename = __filename; exports.throws = () => { throw new Error("below") }')
  write('data.json', '{ "x": 1 }')
  write('bad.json', '{ x')
  write('broken.js', 'let x = ;')
  write('throws.js', 'throw new Error("while loading")')
  write('a.js', 'exports.first = true; exports.b = require("./b"); exports.done = true')
  write('b.js', 'const a = require("./a"); exports.saw = [a.first, a.done]')
  write('counted.js', 'globalThis.count = (globalThis.count ?? 0) + 1; module.exports = globalThis.count')
  write('directory/index.js', 'module.exports = "index"')
  write('node_modules/pack/package.json', '{ "main": "lib/entry" }')
  write('node_modules/pack/lib/entry.js', 'module.exports = "pack"')
  write('node_modules/@scope/pack/index.js', 'module.exports = "scoped"')
  write('module.mjs', 'export const x = 1; export default () => "default"')
  write('meta.mjs', 'export { x as renamed } from "./module.mjs"; import data from "./data.json"; export { data }')
  write('common.cjs', 'exports.x = 1')
  symlinkSync('../secret.js', join(root, 'link.js'))
})

afterAll(() => rmSync(outer, { recursive: true }))

describe('require', () => {
  test.each([
    ["require('./one').name", 'one'],
    ["require('./one.js').name", 'one'],
    ["require('./one') === require('./one.js')", true],
    ["require('./data').x", 1],
    ["require('./directory')", 'index'],
    ["require('pack')", 'pack'],
    ["require('@scope/pack')", 'scoped'],
    ["require('pack/lib/entry.js')", 'pack'],
    ["require('./a').b.saw.join()", 'true,'],
    ["require('./counted') + require('./counted')", 2],
    ["require('./module.mjs')", expect.objectContaining({ code: 'ERR_REQUIRE_ESM' })],
    ["require('./missing')", expect.objectContaining({ code: 'MODULE_NOT_FOUND', message: expect.stringContaining('"./missing"') })],
    ["require('fs')", expect.objectContaining({ code: 'MODULE_NOT_FOUND', message: expect.stringContaining("env: 'nodejs'") })],
    ["require('')", expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })],
    ['require(5)', expect.objectContaining({ name: 'TypeError' })],
    ["require('./bad.json')", expect.objectContaining({ name: 'SyntaxError' })],
    ["require('./broken.js')", expect.objectContaining({ name: 'SyntaxError' })],
    ["require('./throws.js')", expect.objectContaining({ message: 'while loading', stack: expect.stringContaining('throws.js:1:') })],
  ])('%s', async (source, expected) => {
    const { call } = await start(`exports.run = () => ${source}`, { path: main() })
    expect(await call('run').catch((error) => error)).toEqual(expected)
  })

  test.each(['../secret', '../secret.js', '../secret.json', './link', './../app/../secret.js', '/etc/hosts', '/etc/passwd'])(
    'does not leave the directory: %s',
    async (specifier) => {
      const { call } = await start(`exports.run = () => require(${JSON.stringify(specifier)})`, { path: main() })
      expect(await rejection(call('run'))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
      const absolute = await start(`exports.run = () => require(${JSON.stringify(join(outer, 'secret.js'))})`, { path: main() })
      expect(await rejection(absolute.call('run'))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
    },
  )

  test('names what it loads', async () => {
    const { call } = await start(
      "const one = require('./one'); exports.name = () => one.filename; exports.throws = () => one.throws(); exports.resolve = () => require.resolve('./one'); exports.own = () => [__filename, __dirname, require.main === module]",
      { path: main() },
    )
    expect(await call('name')).toBe(join(root, 'one.js'))
    expect(await call('resolve')).toBe(join(root, 'one.js'))
    expect((await rejection(call('throws'))).stack).toContain(`${join(root, 'one.js')}:1:`)
    expect(await call('own')).toEqual([main(), root, true])
  })
})

describe('import', () => {
  const run = (source: string, options = {}) => start(source, { path: join(root, 'main.mjs'), ...options })

  test('of modules, data and by another name', async () => {
    const { call } = await run(
      "import make, { x } from './module.mjs'; import * as all from './meta.mjs'; export const run = () => [make(), x, all.renamed, all.data.x]",
    )
    expect(await call('run')).toEqual(['default', 1, 1, 1])
  })

  test.each([
    ['./missing.js', 'MODULE_NOT_FOUND'],
    ['../secret.js', 'MODULE_NOT_FOUND'],
    ['./link.js', 'MODULE_NOT_FOUND'],
    ['confine:host', 'MODULE_NOT_FOUND'],
    ['confine:program', 'MODULE_NOT_FOUND'],
    ['node:fs', 'MODULE_NOT_FOUND'],
    ['./common.cjs', 'ERR_IMPORT_COMMONJS'],
  ])('of %s fails', async (specifier, code) => {
    const error = await rejection(run(`import ${JSON.stringify(specifier)}`))
    expect(error).toMatchObject({ code, message: expect.stringContaining(specifier.replace('node:', '')) })
    expect(error.stack).not.toContain(import.meta.dirname)
  })

  test('of a name that is not exported fails', async () => {
    expect(await rejection(run("import { y } from './module.mjs'"))).toMatchObject({
      name: 'SyntaxError',
      message: expect.stringContaining("'y'"),
    })
  })

  test('waits for the top level', async () => {
    const { call, runtime } = await run(
      'export let value = 1; await new Promise((done) => setTimeout(done, 10)); value = 2; export const get = () => value',
    )
    expect(runtime.describeAPI().children).toEqual([{ type: 'method', name: 'get' }])
    expect(await call('get')).toBe(2)
  })

  test.each([
    "throw new TypeError('at once')",
    "await null; throw new TypeError('later')",
    "await host(); throw new TypeError('after a call')",
  ])('tells what the top level throws: %s', async (source) => {
    const error = await rejection(run(source, { globals: { host: () => 1 } }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.stack).toMatch(/^TypeError: .*\n {4}at .*main\.mjs:1:\d+\)?$/)
  })

  test('leaves nothing of ours on the global object', async () => {
    const { call } = await run(
      "export const names = Reflect.ownKeys(globalThis).filter((name) => String(name).includes('confine')); export const get = () => names.length",
    )
    expect(await call('get')).toBe(0)
    const cjs = await start(
      "const names = Reflect.ownKeys(globalThis).filter((name) => String(name).includes('confine')); exports.get = () => names.length",
    )
    expect(await cjs.call('get')).toBe(0)
  })
})

test.each([dirname, (path: string) => `${dirname(path)}/`])('a root that is the whole machine is no root', async () => {
  const { call } = await start("exports.run = () => require('./etc/passwd')", { path: '/main.js' })
  expect(await rejection(call('run'))).toBeInstanceOf(Error)
})

function write(name: string, text: string): void {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
