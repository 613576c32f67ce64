import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox } from '../src/index.ts'

let root: string

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'modules-')))
  for (const [name, text] of Object.entries({
    'secret.js': "module.exports = 'secret'",
    'app/package.json': '{ "name": "app", "type": "module" }',
    'app/main.js': `import { x } from './lib/x.cjs'
import { typed } from './typed.ts'
import dep from 'dep'
export const run = async () => [x, typed(1), dep, (await import('./lib/later.js')).later, import.meta.url]
export const leave = () => import('../secret.js')
export const fail = () => typed.fail()`,
    'app/lib/x.cjs': "exports.x = require('../data.json').x; exports.link = () => require('./link.cjs')",
    'app/lib/later.js': 'export const later = 4',
    'app/data.json': '{ "x": 1 }',
    'app/typed.ts':
      'type N = number\n\nexport function typed(n: N): N { return n + 1 }\ntyped.fail = (): never => { const why: string = "typed"; throw new Error(why) }\n',
    'app/node_modules/dep/package.json': '{ "exports": { "import": "./dep.mjs", "require": "./dep.cjs" } }',
    'app/node_modules/dep/dep.mjs': "export default 'imported'",
    'app/node_modules/dep/dep.cjs': "module.exports = 'required'",
  })) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  symlinkSync('../../secret.js', join(root, 'app/lib/link.cjs'))
})

afterAll(() => rmSync(root, { recursive: true }))

describe.each(['jsisolate-confine-runtime', 'jseval-confine-runtime'])('%s', (runtime) => {
  let sbx: Sandbox

  beforeAll(() => {
    sbx = new Sandbox({ runtime, maxContainers: 100 })
  })

  afterAll(() => sbx.teardown().then(() => {}))

  async function run(options: object, name = 'run', ...params: unknown[]): Promise<unknown> {
    const container = await sbx.execContainer(options)
    return container.call(name, params)
  }

  test('a program of several files, a package and TypeScript', async () => {
    const program = await sbx.execContainer({ sourcePath: join(root, 'app/main.js') })
    expect(await program.call('run')).toEqual([1, 2, 'imported', 4, `file://${join(root, 'app/main.js')}`])
    await expect(program.call('fail')).rejects.toMatchObject({
      message: 'typed',
      guestStack: expect.stringMatching(
        new RegExp(`^Error: typed\\n +at .*${join(root, 'app/typed.ts')}:4:64\\)\\n +at .*${join(root, 'app/main.js')}:6:33\\)$`),
      ),
    })
    await expect(program.call('leave')).rejects.toMatchObject({
      errorCode: 'MODULE_NOT_FOUND',
      message: expect.stringContaining('"../secret.js"'),
    })
  })

  test('a symbolic link leads nowhere outside', async () => {
    const options = {
      source: "exports.run = () => require('./lib/x.cjs').link()",
      sourcePath: join(root, 'app/main.js'),
      roots: [join(root, 'app')],
      module: 'cjs',
    }
    await expect(run(options)).rejects.toMatchObject({ errorCode: 'MODULE_NOT_FOUND', message: expect.stringContaining('"./link.cjs"') })
  })

  test.each<[string, object, unknown]>([
    [
      'CommonJS',
      {
        files: {
          'a.js':
            "exports.run = () => [require('./b').x, require('./c.json').y, require.main === module, require('./b') === require('./b.js')]",
          'b.js': 'exports.x = __filename',
          'c.json': '{ "y": 2 }',
        },
        entry: 'a.js',
      },
      ['/guest/b.js', 2, true, true],
    ],
    [
      'ES modules',
      {
        files: {
          'main.js':
            "import b, { x } from './b.js'; import { y } from './c.cjs'; import * as d from './d.json' with { type: 'json' }; export const run = () => [b, x, y, d.default.z]",
          'b.js': 'export const x = 1; export default 2',
          'c.cjs': 'exports.y = 3',
          'd.json': '{ "z": 4 }',
        },
      },
      [2, 1, 3, 4],
    ],
    [
      'a circle of CommonJS',
      {
        files: { 'a.js': "exports.early = 1; exports.run = () => require('./b').saw", 'b.js': "exports.saw = Object.keys(require('./a'))" },
        entry: 'a.js',
      },
      ['early', 'run'],
    ],
    [
      'import() in CommonJS',
      {
        files: {
          'a.cjs':
            "exports.run = async () => { const b = await import('./b.mjs'); return [b.x, b === await import('./b.mjs'), (await import('node:path')).posix.sep] }",
          'b.mjs': 'await null; export const x = 1',
        },
        entry: 'a.cjs',
        env: 'nodejs',
      },
      [1, true, '/'],
    ],
    [
      'names that are computed',
      {
        files: {
          'a.cjs': "exports.run = async (x = 'b') => [require('./' + x).x, (await import('./' + x + '.cjs')).x]",
          'b.cjs': 'exports.x = 1',
        },
        entry: 'a.cjs',
      },
      [1, 1],
    ],
    [
      'names of the language',
      {
        files: new Map([
          ['main.cjs', "exports.run = () => [require('./__proto__').x, require('./constructor').x, require('toString').x]"],
          ['__proto__.js', 'exports.x = 1'],
          ['constructor.js', 'exports.x = 2'],
          ['node_modules/toString/index.js', 'exports.x = 3'],
        ]),
      },
      [1, 2, 3],
    ],
    ['TypeScript as a source', { source: 'export const run = (): number => 5', language: 'ts' }, 5],
    [
      'an ES module as a source',
      { source: 'export const run = async () => (await import("./b.js")).x', files: { 'b.js': 'export const x = 6' } },
      6,
    ],
    ['a text that says by itself how it is written', { files: { 'main.js': 'export const run = () => 7' } }, 7],
    [
      'a package that imports itself',
      {
        files: {
          'main.mjs': "export { x as run } from 'own'",
          'package.json': '{ "name": "own", "exports": "./x.mjs", "imports": { "#y": "./y.mjs" } }',
          'x.mjs': "import y from '#y'; export const x = () => y",
          'y.mjs': 'export default 8',
        },
      },
      8,
    ],
  ])('%s', async (_, options, expected) => {
    expect(await run(options)).toEqual(expected)
  })

  test.each<[string, object, object]>([
    [
      'a missing import',
      { files: { 'main.mjs': "import './no.js'" } },
      { code: 'ERR_CONFINE_SOURCE_FAILED', errorCode: 'MODULE_NOT_FOUND', message: expect.stringContaining('"./no.js"') },
    ],
    [
      'a module that throws',
      { files: { 'main.mjs': "import './b.mjs'", 'b.mjs': '\n  throw new RangeError("loading")' } },
      { code: 'ERR_CONFINE_SOURCE_FAILED', errorName: 'RangeError', guestStack: expect.stringContaining('/guest/b.mjs:2:9') },
    ],
    [
      'a module that is no JavaScript',
      { files: { 'main.mjs': "import './b.mjs'", 'b.mjs': '\nlet x = ;' } },
      { code: 'ERR_CONFINE_SOURCE_FAILED', errorName: 'SyntaxError', guestStack: expect.stringContaining('/guest/b.mjs:2') },
    ],
    [
      'TypeScript that does not go away',
      { files: { 'main.ts': 'enum A { x }' } },
      { code: 'ERR_CONFINE_SOURCE_FAILED', errorName: 'SyntaxError', guestStack: expect.stringContaining('/guest/main.ts:1') },
    ],
    [
      'a name that is not exported',
      { files: { 'main.mjs': "import { y } from './b.mjs'", 'b.mjs': 'export const x = 1' } },
      { code: 'ERR_CONFINE_SOURCE_FAILED', errorName: 'SyntaxError', message: expect.stringContaining("'y'") },
    ],
  ])('%s fails with its reason', async (_, options, expected) => {
    if (runtime.startsWith('jseval')) {
      const alone = new Sandbox({ runtime })
      await expect(alone.execContainer(options)).rejects.toMatchObject(expected)
      await alone.teardown()
    } else {
      await expect(sbx.execContainer(options)).rejects.toMatchObject(expected)
    }
  })

  test('a giant graph is refused on the host', async () => {
    const files = Object.fromEntries(Array.from({ length: 6000 }, (__, index) => [`m${index}.js`, '']))
    await expect(sbx.execContainer({ files: { ...files, 'main.js': '' } })).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
  })
})

test('jseval requires an ES module that awaits nothing', async () => {
  await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
  const program = await sbx.execContainer({
    files: {
      'a.cjs': "exports.run = () => require('./b.mjs').x; exports.bad = () => require('./c.mjs')",
      'b.mjs': 'export const x = 1',
      'c.mjs': 'await null',
    },
    entry: 'a.cjs',
  })
  expect(await program.call('run')).toBe(1)
  await expect(program.call('bad')).rejects.toMatchObject({ errorCode: 'ERR_REQUIRE_ASYNC_MODULE' })
})

test('jseval says nothing of the machine', async () => {
  await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
  const program = await sbx.execContainer({
    source:
      "const os = require('os'); exports.run = () => [os.userInfo().username, os.networkInterfaces(), os.cpus(), os.loadavg(), os.uptime(), os.hostname(), os.EOL]",
  })
  expect(await program.call('run')).toEqual(['guest', {}, [], [0, 0, 0], 0, 'localhost', '\n'])
})
