import type { GatheredModule, ModuleGraph } from '@confine-sandbox/contract'
import { describe, expect, test } from 'vitest'
import type JsIsolateConfineRuntime from '../src/index.ts'
import { rejection, start } from './start.ts'

/** A graph of texts below /p; what stands in a text as a name leads to the text of that name. */
function graph(texts: Record<string, string>, entry = 'main.mjs'): ModuleGraph {
  const links = (text: string) =>
    new Map(
      [...text.matchAll(/['"](?:\.\/)?([\w.]+)['"]/g)]
        .filter(([, name]) => Object.hasOwn(texts, name!))
        .map(([all, name]) => [all.slice(1, -1), `/p/${name}`]),
    )
  const modules = Object.entries(texts).map(([name, text]): [string, GatheredModule] => [
    `/p/${name}`,
    {
      format: name.endsWith('.json') ? 'json' : /\.m[jt]s$/.test(name) ? 'module' : 'commonjs',
      language: name.endsWith('ts') ? 'ts' : 'js',
      text,
      imports: links(text),
      requires: links(text),
      exports: [...text.matchAll(/exports\.(\w+)/g)].map(([, name]) => name!),
    },
  ])
  return { entry: `/p/${entry}`, modules: new Map(modules) }
}

function run(texts: Record<string, string>, options: JsIsolateConfineRuntime.Options & { entry?: string } = {}) {
  const gathered = graph(texts, options.entry)
  return start(gathered.modules.get(gathered.entry)!.text, { graph: gathered, ...options })
}

describe('modules', () => {
  test('of every kind import each other', async () => {
    const { call } = await run({
      'main.mjs': `import common, { x } from './common.cjs'; import * as esm from './esm.mjs'; import data from './data.json'; import { typed } from './typed.mts'
        export const get = () => [common.x, x, esm.y, esm.default, data.z, typed]`,
      'common.cjs': "exports.x = require('./other.cjs').x; exports.data = require('./data.json')",
      'other.cjs': 'exports.x = 1',
      'esm.mjs': "export { x as y } from './common.cjs'; export default 2",
      'data.json': '{ "z": 3, "__proto__": 4 }',
      'typed.mts': 'export const typed: number = 5',
    })
    expect(await call('get')).toEqual([1, 1, 1, 2, 3, 5])
  })

  test('run once, and in the order in which they are imported', async () => {
    const { call } = await run({
      'main.mjs':
        "globalThis.order = []; export const get = async () => { await import('./c.cjs'); await import('./c.cjs'); return order }; import './a.mjs'; import './b.cjs'",
      'a.mjs': "globalThis.order = ['a']",
      'b.cjs': "globalThis.before = order.join(); exports.b = order.push('b')",
      'c.cjs': "order.push('c ' + before); require('./b.cjs')",
    })
    expect(await call('get')).toEqual(['c a'])
  })

  test('may go in circles', async () => {
    const { call } = await run({
      'main.mjs': "import { even } from './even.mjs'; export const isEven = (n) => even(n)",
      'even.mjs': "import { odd } from './odd.mjs'; export const even = (n) => n === 0 || odd(n - 1)",
      'odd.mjs': "import { even } from './even.mjs'; export const odd = (n) => n !== 0 && even(n - 1)",
    })
    expect(await call('isEven', 10)).toBe(true)
  })

  test('of the same name as something of the language', async () => {
    const { call } = await run({
      'main.mjs': "import { x } from '__proto__'; import { y } from 'constructor'; export const get = () => [x, y]",
      __proto__: '',
      ...JSON.parse('{ "__proto__": "exports.x = 1" }'),
      constructor: 'exports.y = 2',
    })
    expect(await call('get')).toEqual([1, 2])
  })

  test('an ES module is not required', async () => {
    const { call } = await run({ 'main.cjs': "exports.get = () => require('./a.mjs')", 'a.mjs': '' }, { entry: 'main.cjs' })
    expect(await rejection(call('get'))).toMatchObject({ code: 'ERR_REQUIRE_ESM', message: expect.stringContaining('/p/a.mjs') })
  })
})

describe('what was not gathered', () => {
  test('is named', async () => {
    const { call } = await run(
      { 'main.cjs': 'exports.get = (name) => require(name); exports.load = (name) => import(name)' },
      { entry: 'main.cjs' },
    )
    for (const name of [
      './missing.js',
      'lodash',
      '/etc/hosts',
      '../../etc/passwd',
      'confine:host',
      '__proto__',
      'file:///etc/passwd',
      'data:text/javascript,1',
    ]) {
      const expected = { code: 'MODULE_NOT_FOUND', message: expect.stringContaining(JSON.stringify(name)) }
      expect(await rejection(call('get', name))).toMatchObject(expected)
      expect(await rejection(call('load', name))).toMatchObject(expected)
    }
  })

  test('fails a program that imports it', async () => {
    expect(await rejection(run({ 'main.mjs': "import './missing.js'" }))).toMatchObject({
      code: 'MODULE_NOT_FOUND',
      message: expect.stringMatching(/"\.\/missing\.js": \/p\/main\.mjs asks for it, and it was not gathered/),
    })
  })
})

describe('at run time', () => {
  const texts = {
    'main.cjs': `exports.load = async (name) => { const { x } = await import(name); return x }
      exports.same = async () => await import('./a.mjs') === await import('./a.mjs') && (await import('./common.cjs')).default === require('./common.cjs')
      exports.own = async () => (await import('./main.cjs')).default === module.exports
      exports.never = () => import({ toString() { throw new Error('no name') } })`,
    'a.mjs': 'export const x = "a"',
    'common.cjs': 'exports.x = "common"',
    'slow.mjs': 'await new Promise((done) => setTimeout(done, 5)); export const x = "slow"',
    'nested.mjs': "const { x: inner } = await import('./slow.mjs'); export const x = 'nested ' + inner",
    'throws.mjs': 'export const x = 1; throw new TypeError("thrown")',
    'rejects.mjs': 'await null; throw new RangeError("rejected")',
    'syntax.mjs': 'let x = ;',
    'enum.mts': 'export enum A { x }',
    'lacks.mjs': "import { nothing } from './a.mjs'",
  }
  const program = () => run(texts, { entry: 'main.cjs' })

  test.each([
    ['./a.mjs', 'a'],
    ['./common.cjs', 'common'],
    ['/p/a.mjs', 'a'],
    ['file:///p/a.mjs', 'a'],
    ['./a', 'a'],
    ['../p/./a.mjs', 'a'],
    ['./slow.mjs', 'slow'],
    ['./nested.mjs', 'nested slow'],
  ])('import(%j)', async (name, expected) => {
    const { call } = await program()
    expect(await call('load', name)).toBe(expected)
    expect(await call('load', name)).toBe(expected)
  })

  test.each([
    ['./throws.mjs', { name: 'TypeError', message: 'thrown', stack: expect.stringContaining('/p/throws.mjs:1:') }],
    ['./rejects.mjs', { name: 'RangeError', message: 'rejected' }],
    ['./syntax.mjs', { name: 'SyntaxError', stack: expect.stringContaining('/p/syntax.mjs:1\nlet x = ;\n        ^') }],
    ['./enum.mts', { name: 'SyntaxError', stack: expect.stringContaining('/p/enum.mts:1\n') }],
    ['./lacks.mjs', { name: 'SyntaxError', message: expect.stringContaining("'nothing'") }],
  ])('import(%j) rejects', async (name, expected) => {
    const { call, errors } = await program()
    expect(await rejection(call('load', name))).toMatchObject(expected)
    expect(await call('load', './a.mjs')).toBe('a')
    expect(errors).toEqual([])
  })

  test('gives the one module that there is', async () => {
    const { call } = await program()
    expect(await call('same')).toBe(true)
    expect(await call('own')).toBe(true)
    expect(await rejection(call('never'))).toMatchObject({ message: 'no name' })
    expect(await Promise.all(['./nested.mjs', './slow.mjs', './a.mjs', './nested.mjs'].map((name) => call('load', name)))).toEqual([
      'nested slow',
      'slow',
      'a',
      'nested slow',
    ])
  })

  test('import.meta', async () => {
    const { call } = await run({
      'main.mjs': 'export const meta = () => ({ ...import.meta }); export const same = () => import.meta === import.meta',
    })
    expect(await call('meta')).toEqual({ dirname: '/p', filename: '/p/main.mjs', url: 'file:///p/main.mjs' })
    expect(await call('same')).toBe(true)
  })

  test('without a graph there are the modules of Node', async () => {
    const { call } = await start(
      "export const join = async () => (await import('node:path')).join('a', 'b'); export const other = () => import('./x.js')",
      {
        env: 'nodejs',
      },
    )
    expect(await call('join')).toBe('a/b')
    expect(await rejection(call('other'))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
  })

  test('imports can be disabled', async () => {
    const { call } = await start("exports.load = () => import('node:path')", { env: 'nodejs', esm: { disableImports: true } })
    expect(await rejection(call('load'))).toMatchObject({ code: 'ERR_IMPORT_DISABLED' })
  })

  test('imports that failed count no more', async () => {
    const { call } = await run(
      {
        'main.cjs':
          "exports.many = async () => { const codes = new Set(); for (let i = 0; i < 1500; i++) await import('./no.js').catch((error) => codes.add(error.code)); return [...codes] }",
      },
      { entry: 'main.cjs' },
    )
    expect(await call('many')).toEqual(['MODULE_NOT_FOUND'])
  })

  test('too many imports that wait are refused', async () => {
    const { call } = await run(
      {
        'main.cjs':
          "exports.flood = async () => { const all = []; for (let i = 0; i < 5000; i++) all.push(import('./never.mjs').catch((error) => error.code)); return Promise.race(all) }",
        'never.mjs': 'await new Promise(() => {})',
      },
      { entry: 'main.cjs' },
    )
    expect(await call('flood')).toBe('ERR_CONFINE_LIMIT')
  })
})

test('TypeScript: stacks point to its lines', async () => {
  const { call } = await run(
    {
      'main.ts':
        'interface A { x: number }\n\nexports.fail = (a: A): never => {\n  const message: string = "typed";   throw new Error(message)\n}',
    },
    { entry: 'main.ts' },
  )
  expect((await rejection(call('fail', { x: 1 }))).stack).toMatch(/^Error: typed\n {4}at exports\.fail \(\/p\/main\.ts:4:44\)$/)
  const text = await start('export const double = (x: number): number => x * 2', { language: 'ts' })
  expect(await text.call('double', 2)).toBe(4)
})

test('how a program is written follows from its text', async () => {
  expect(await (await start('export const a = () => 1')).call('a')).toBe(1)
  expect(await (await start('exports.a = () => 1 // export const b = 1')).call('a')).toBe(1)
  expect(await rejection(start('export const a = () => 1', { path: '/p/a.cjs' }))).toMatchObject({ name: 'SyntaxError' })
})
