import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gatherProgram } from '../../src/program/gather-program.ts'

let outer: string
let root: string

beforeAll(() => {
  outer = realpathSync(mkdtempSync(join(tmpdir(), 'gather-')))
  root = join(outer, 'app')
  const tree: Record<string, string> = {
    '../outside.js': 'exports.secret = 1',
    '../node_modules/above/index.js': 'exports.secret = 1',
    'package.json': '{ "name": "app", "imports": { "#own": "./lib/own.js", "#dep": "pack", "#loop": "#loop", "#out": "./../outside.js" } }',
    '.env.js': 'exports.secret = 1',
    '.git/config.js': 'exports.secret = 1',
    'secret.pem': 'secret',
    'lib/own.js': 'exports.own = 1',
    'one.js': "exports.one = require('./two'); exports['a-b'] = 1",
    'two.js': "module.exports = { ...require('./one'), x: 1 }",
    'data.json': '{ "x": 1 }',
    'directory/index.js': '1',
    'typed.ts': "import type { A } from './types'; export const x: number = 1; export { y } from './twin.js'",
    'types.ts': 'export type A = 1',
    'twin.ts': 'export const y = 2',
    'esm/package.json': '{ "type": "module" }',
    'esm/a.js': "import './b.js'; await import('./c.js')",
    'esm/b.js': '',
    'esm/c.js': '',
    'detected.js': "import './esm/b.js'",
    'broken.js': 'let x = ;',
    'reexports.cjs': "module.exports = require('./names.cjs')",
    'names.cjs': 'exports.first = 1; exports.second = 2; exports.default = 3',
    'node_modules/pack/package.json':
      '{ "name": "pack", "exports": { ".": { "node": { "require": "./node.cjs", "import": "./node.mjs" }, "browser": "./browser.js", "default": "./default.js" }, "./feature/*": "./features/*.js", "./hidden/*": null, "./up": "./../../outside.js", "./modules": "./node_modules/inner/index.js", "./list": ["bad", "./default.js"], "./own": "./own.js" } }',
    'node_modules/pack/node.mjs': 'export default 1',
    'node_modules/pack/node.cjs': 'module.exports = 1',
    'node_modules/pack/browser.js': '',
    'node_modules/pack/default.js': '',
    'node_modules/pack/own.js': "require('pack'); require('pack/list')",
    'node_modules/pack/features/x.js': '',
    'node_modules/pack/features/hidden.js': '',
    'node_modules/pack/node_modules/inner/index.js': '',
    'node_modules/targets/package.json': JSON.stringify({
      exports: {
        '.': { node: { 'nobody-holds-it': './none.js' }, default: './index.js' },
        './a/*': './one/*.js',
        './a/b/*': './two/*.js',
        './a/*/c.js': './three/*.js',
        './x/*': { 'nobody-holds-it': './none/*.js', require: './one/*.js' },
        './twice/*': './*/*.js',
        './never/*': null,
        './never/but/*': './one/*.js',
        './empty*': './one/q.js',
        // As a regular expression it would take for ever.
        './(?:(a+)+)+*x': './index.js',
      },
    }),
    ...Object.fromEntries(
      ['index', 'one/q', 'one/b/q', 'one/q/c', 'two/q', 'three/q', 'q/q'].map((n) => [`node_modules/targets/${n}.js`, '']),
    ),
    'node_modules/main/package.json': '{ "main": "lib" }',
    'node_modules/main/lib/index.js': '',
    'node_modules/@scope/pack/index.js': '',
    'node_modules/deep/index.js': "require('pack'); require('./sub/file'); require('main')",
    'node_modules/deep/sub/file.js': '',
  }
  for (const [name, text] of Object.entries(tree)) write(name, text)
  symlinkSync('../outside.js', join(root, 'link.js'))
  symlinkSync('..', join(root, 'up'))
  symlinkSync('lib/own.js', join(root, 'inside-link.js'))
  symlinkSync(join(root, 'node_modules/deep'), join(root, 'node_modules/linked'))
})

afterAll(() => rmSync(outer, { recursive: true }))

describe('names lead where Node leads them', () => {
  const names = [
    './one',
    './one.js',
    './data',
    './data.json',
    './directory',
    './directory/',
    '.',
    'pack',
    'pack/feature/x',
    'pack/list',
    'pack/nothing',
    'pack/hidden/x',
    'pack/modules',
    'pack/up',
    'pack/package.json',
    'pack/default.js',
    'main',
    'main/lib',
    'main/lib/index.js',
    'targets',
    'targets/a/q',
    'targets/a/b/q',
    'targets/a/q/c.js',
    'targets/x/q',
    'targets/twice/q',
    'targets/never/q',
    'targets/never/but/q',
    'targets/empty',
    'targets/empty1',
    'targets/a/*',
    'targets/a/../index',
    `targets/${'a'.repeat(60)}`,
    '@scope/pack',
    'deep',
    'linked',
    '#own',
    '#dep',
    '#loop',
    '#out',
    '#nothing',
    './missing',
    'missing',
    '@scope',
    './inside-link',
    '__proto__',
    'constructor',
    './__proto__',
  ]
  test.each(names)('%s', async (name) => {
    const { requires } = await entryOf(`require(${JSON.stringify(name)})`)
    let expected: string | undefined
    try {
      expected = relative(root, createRequire(join(root, 'main.js')).resolve(name))
    } catch {}
    expect(Object.hasOwn(requires, name) ? requires[name] : undefined).toBe(expected)
  })

  test('import has its own conditions, and the caller may give others', async () => {
    expect((await entryOf("import 'pack'")).imports.pack).toBe('node_modules/pack/node.mjs')
    expect((await entryOf("import 'pack'", { conditions: ['browser'] })).imports.pack).toBe('node_modules/pack/browser.js')
    expect((await entryOf("import 'pack'", { conditions: [] })).imports.pack).toBe('node_modules/pack/default.js')
  })

  test('dynamic imports, escapes, endings that TypeScript leaves out, names that types leave behind', async () => {
    const { paths, imports } = await entryOf("await import(`./typed.ts`); import './%6fne.js?x#y'; import './esm/a'; import('./' + x)")
    expect(imports).toEqual({ './typed.ts': 'typed.ts', './%6fne.js?x#y': 'one.js', './esm/a': 'esm/a.js' })
    expect(paths).toEqual(['esm/a.js', 'esm/b.js', 'esm/c.js', 'main.js', 'one.js', 'twin.ts', 'two.js', 'typed.ts'])
  })

  test('names to include', async () => {
    const { imports, requires } = await entryOf('', { include: ['pack', './lib/own.js', 'missing'] })
    expect(imports).toEqual({ pack: 'node_modules/pack/node.mjs', './lib/own.js': 'lib/own.js' })
    expect(requires).toEqual({ pack: 'node_modules/pack/node.cjs', './lib/own.js': 'lib/own.js' })
  })
})

test('what stays out of reach', async () => {
  const names = [
    '../outside.js',
    './link.js',
    './up/outside.js',
    './up/app/one.js',
    'above',
    './.env.js',
    './.git/config.js',
    './secret.pem',
    join(outer, 'outside.js'),
    `file://${join(outer, 'outside.js')}`,
    '/etc/passwd',
    '/proc/self/environ',
    './one.js\0.json',
    'data:text/javascript,1',
    'http://localhost/x.js',
  ]
  const { imports, requires, paths } = await entryOf(
    names.map((name) => `require(${JSON.stringify(name)}); import(${JSON.stringify(name)})`).join('\n'),
  )
  // A link may lead out and in again.
  expect(imports).toEqual({ './up/app/one.js': 'one.js' })
  expect(requires).toEqual({ './up/app/one.js': 'one.js' })
  expect(paths).toEqual(['main.js', 'one.js', 'two.js'])
})

test('what lies in another root is in reach', async () => {
  const { imports } = await entryOf("import '../outside.js'; import 'above'", { roots: [outer] })
  expect(Object.keys(imports)).toEqual(['../outside.js', 'above'])
  await expect(gather({ sourcePath: join(root, 'one.js'), roots: [join(root, 'lib')] })).rejects.toMatchObject({
    code: 'ERR_CONFINE_BAD_OPTION',
  })
})

test('formats, languages and the names of CommonJS exports', async () => {
  const { graph } = await gather({
    source:
      "import './esm/a.js'; import './detected.js'; import './typed.ts'; import './data.json'; import './broken.js'; import * as r from './reexports.cjs'; import './one.js'",
    sourcePath: join(root, 'one.js'),
    roots: [root],
  })
  const facts = Object.fromEntries(
    [...graph!.modules].map(([path, { format, language, exports }]) => [relative(root, path), `${format} ${language} ${exports.join()}`]),
  )
  expect(facts).toMatchObject({
    'one.js': 'module js ',
    'esm/a.js': 'module js ',
    'detected.js': 'module js ',
    'typed.ts': 'module ts ',
    'data.json': 'json js ',
    'broken.js': 'commonjs js ',
    'reexports.cjs': 'commonjs js first,second',
  })
})

test('the disk is read for a sourcePath only, or where roots say so', async () => {
  expect((await gather({ sourcePath: join(root, 'one.js') }, "require('./two')")).graph).toBeUndefined()
  expect((await gather({}, "require('./two')")).graph).toBeUndefined()
  await expect(gather({ roots: [root] })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})

test('a text that stands in no file finds the modules of the roots', async () => {
  const names = async (options: Record<string, unknown>) => {
    const { graph, options: rest } = await gather(options, "import 'pack'; import './two.js'; import '../outside.js'")
    return [relative(root, graph!.entry), rest.sourcePath === graph!.entry, ...graph!.modules.get(graph!.entry)!.imports.keys()]
  }
  expect(await names({ roots: [root] })).toEqual(['main.js', true, 'pack', './two.js'])
  expect(await names({ roots: [root], language: 'ts' })).toEqual(['main.ts', true, 'pack', './two.js'])
  expect(await names({ roots: [root], sourcePath: join(root, 'nowhere.mjs') })).toEqual(['nowhere.mjs', true, 'pack', './two.js'])
})

test.each([
  ['a place outside of the roots', () => join(root, '../nowhere.js')],
  ['a hidden place', () => join(root, '.nowhere.js')],
  ['a directory that is not there', () => join(root, 'none/nowhere.js')],
  ['a directory', () => join(root, 'lib')],
])('a text is not taken for a file of %s', async (_what, sourcePath) => {
  await expect(gather({ roots: [root], sourcePath: sourcePath() }, '1')).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
})

describe('files that exist nowhere', () => {
  test('are all gathered, under names of their own', async () => {
    const { graph } = await gather({
      files: {
        'index.js': "import { x } from './lib/x.js'; import 'dep'",
        'lib/x.js': 'export const x = 1',
        'other.json': '{}',
        'node_modules/dep/index.js': '',
      },
    })
    expect(graph!.entry).toBe('/guest/index.js')
    expect([...graph!.modules.keys()].sort()).toEqual([
      '/guest/index.js',
      '/guest/lib/x.js',
      '/guest/node_modules/dep/index.js',
      '/guest/other.json',
    ])
    expect([...graph!.modules.get('/guest/index.js')!.imports]).toEqual([
      ['./lib/x.js', '/guest/lib/x.js'],
      ['dep', '/guest/node_modules/dep/index.js'],
    ])
  })

  test('do not lead to the disk', async () => {
    const { graph } = await gather({
      files: { 'main.js': `require(${JSON.stringify(join(root, 'one.js'))}); require('../../../../etc/hosts.json')` },
    })
    expect([...graph!.modules.keys()]).toEqual(['/guest/main.js'])
  })

  test('take the program as a source', async () => {
    const { graph } = await gather({ files: { 'a.js': 'exports.a = 1' } }, "require('./a.js')")
    expect(graph!.entry).toBe('/guest/main.js')
    expect([...graph!.modules.get('/guest/main.js')!.requires]).toEqual([['./a.js', '/guest/a.js']])
  })

  test('may have any name of an object', async () => {
    const files = JSON.parse(
      '{ "main.js": "require(\\"./__proto__\\"); require(\\"./constructor\\")", "__proto__.js": "1", "constructor.js": "2" }',
    )
    const { graph } = await gather({ files })
    expect([...graph!.modules.get('/guest/main.js')!.requires.values()]).toEqual(['/guest/__proto__.js', '/guest/constructor.js'])
  })

  test.each([
    [{ files: {} }],
    [{ files: [] }],
    [{ files: 5 }],
    [{ files: { '../x.js': '' } }],
    [{ files: { 'a/../../x.js': '' } }],
    [{ files: { '/x.js': '' } }],
    [{ files: { '': '' } }],
    [{ files: { 'a.js': 5 } }],
    [{ files: { 'a.js': '', 'b.js': '' } }],
    [{ files: { 'a.js': '' }, entry: 'b.js' }],
    [{ files: { 'a.js': '' }, entry: 5 }],
    [{ entry: 'a.js' }],
    [{ files: { 'a.js': '' }, roots: ['/'] }],
    [{ files: { 'a.js': '' }, include: 'x' }],
    [{ files: { 'a.js': '' }, conditions: [5] }],
    [{ files: { 'a.js': '' }, language: 'coffee' }],
    [{ sourcePath: import.meta.filename, roots: [] }],
    [{ sourcePath: import.meta.filename, roots: ['/nothing/here'] }],
    [{ sourcePath: import.meta.filename, roots: [import.meta.filename] }],
  ])('%j is refused', async (options) => {
    await expect(gather(options)).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  })
})

describe('limits', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}.js`, '']))

  test.each([
    ['modules', { files: { ...many(5001), 'main.js': '' } }],
    ['MiB', { files: { 'main.js': 'x'.repeat(25 * 1024 * 1024) } }],
    ['others', { files: { 'main.js': Array.from({ length: 50_001 }, (_, index) => `require('${index}')`).join('\n') } }],
  ])('of %s', async (what, options) => {
    await expect(gather(options)).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT', message: expect.stringContaining(what) })
  })

  test('of a package.json, which is parsed, and of all of them', async () => {
    const json = (mebibytes: number) => `{ "x": "${'x'.repeat(mebibytes * 1024 * 1024 - 20)}" }`
    const nested = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}/package.json`, json(1)]))
    const modules = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`p${index}/x.js`, '']))
    await gather({ files: { 'main.js': '', 'p0/x.js': '', ...nested(1) }, entry: 'main.js' })
    await expect(gather({ files: { 'main.js': '', 'package.json': json(2) }, entry: 'main.js' })).rejects.toMatchObject({
      code: 'ERR_CONFINE_LIMIT',
      message: expect.stringContaining('/guest/package.json is larger than 1 MiB'),
    })
    await expect(gather({ files: { 'main.js': '', ...modules, ...nested(9) }, entry: 'main.js' })).rejects.toMatchObject({
      code: 'ERR_CONFINE_LIMIT',
      message: expect.stringContaining('larger than 8 MiB'),
    })
  })

  test('of depth: the way through all directories above a file is taken for every name', async () => {
    const below = (count: number) => `${'d/'.repeat(count)}x.js`
    write(below(99), '')
    write(below(100), '')
    expect((await entryOf(`require('./${below(99)}'); require('./${below(100)}')`)).paths).toEqual([below(99), 'main.js'])
    await expect(gather({ files: { [below(120)]: '' } })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  })

  test('of the names that CommonJS modules export, each of which may export those of others again', async () => {
    const names = Array.from({ length: 60_000 }, (_, index) => `exports.e${index}=1`).join(';')
    const again = (count: number) =>
      Array.from({ length: count }, (_, index) => [`a${index}.cjs`, "module.exports = require('./names.cjs')"])
    const files = (count: number) => ({
      ...Object.fromEntries(again(count)),
      'names.cjs': names,
      'main.mjs': Array.from({ length: count }, (_, index) => `import './a${index}.cjs'`).join('\n'),
    })
    expect((await gather({ files: files(2) })).graph?.modules.get('/guest/a1.cjs')?.exports).toHaveLength(60_000)
    await expect(gather({ files: files(9) })).rejects.toMatchObject({
      code: 'ERR_CONFINE_LIMIT',
      message: expect.stringContaining('names'),
    })
  })

  test('of one file', async () => {
    write('large.js', ' '.repeat(12 * 1024 * 1024 + 1))
    await expect(gather({ source: "require('./large')", sourcePath: join(root, 'one.js'), roots: [root] })).rejects.toMatchObject({
      code: 'ERR_CONFINE_LIMIT',
      message: expect.stringContaining('large.js'),
    })
  })
})

function gather({ source, ...options }: Record<string, unknown>, text = source as string | undefined) {
  return gatherProgram(options, text, { form: 'graph' })
}

async function entryOf(source: string, options: Record<string, unknown> = {}) {
  write('main.js', source)
  const { graph } = await gather({ sourcePath: join(root, 'main.js'), ...options })
  const { imports, requires } = graph!.modules.get(graph!.entry)!
  const short = (links: ReadonlyMap<string, string>) => Object.fromEntries([...links].map(([name, path]) => [name, relative(root, path)]))
  return {
    imports: short(imports),
    requires: short(requires),
    paths: [...graph!.modules.keys()].map((path) => relative(root, path)).sort(),
  }
}

function write(name: string, text: string): void {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
