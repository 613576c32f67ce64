import type { Program, RuntimePrograms } from './subject.ts'

/**
 * The programs for a runtime whose language is JavaScript and whose host functions are asynchronous.
 * @param module How a program exports: `module.exports` or `export`.
 * @param options Options that every program needs, such as `{ module: 'esm' }`.
 */
export function javascriptPrograms(
  module: 'cjs' | 'esm' = 'cjs',
  options: Readonly<Record<string, unknown>> = {},
): Omit<RuntimePrograms, 'exit' | 'exitAtOnce'> {
  const program = (source: string): Program => ({ ...options, source })
  const exporting = (name: string, value: string, before = '') =>
    program(`${before}\n${module === 'cjs' ? `exports.${name} = ` : `export const ${name} = `}${value}`)
  return {
    addOne: exporting('addOne', '(number) => number + 1'),
    counter: exporting('next', '() => ++count', 'let count = 0'),
    fail: exporting('fail', "() => { throw new TypeError('the program failed') }"),
    broken: [program('let x = ;'), program('throw new Error("while it loads")'), program('null.x'), program('}')],
    loop: exporting('loop', '() => { for (;;); }'),
    grow: exporting('grow', '() => { const all = []; for (;;) all.push(new Array(10_000).fill(all.length)) }'),
    viaHost: exporting('viaHost', 'async (number) => await host.addTwo(number)'),
    wait: [exporting('wait', '() => host.wait()'), exporting('wait', '() => new Promise(() => {})')],
    failVia: exporting('failVia', 'async () => { await host.fail() }'),
    loaded: program('host.loaded()'),
    nested: exporting('counter', '{ count: 0, next() { return ++this.count } }'),
    echo: { program: exporting('echo', '(value) => value'), values: structuredValues },
    sleep: exporting('sleep', '(ms) => new Promise((done) => setTimeout(done, ms, ms))'),
    modules:
      module === 'cjs' ? commonJsModules.map((files) => ({ ...options, ...files })) : esModules.map((files) => ({ ...options, ...files })),
    later: exporting('later', 'async (value) => { await null; return value }'),
    thrown: oddThings.map((thing) =>
      module === 'cjs'
        ? program(`exports.now = () => { throw (${thing}) }; exports.later = async () => { await null; throw (${thing}) }`)
        : program(`export const now = () => { throw (${thing}) }; export const later = async () => { await null; throw (${thing}) }`),
    ),
    thrownAtLoad: oddThings.map((thing) => program(`throw (${thing})`)),
  }
}

const commonJsModules: readonly object[] = [
  {
    entry: 'main.cjs',
    files: {
      'main.cjs': `const { two } = require('./lib/two')
const { three } = require('./three.json')
exports.get = async () => [two, three, (await import('./four.mjs')).four]`,
      'lib/two.js': "exports.two = require('./one.js') + 1",
      'lib/one.js': 'module.exports = 1',
      'three.json': '{ "three": 3 }',
      'four.mjs': 'export const four = 4',
    },
  },
  {
    entry: 'main.cts',
    files: {
      'main.cts': `const { two }: { two: number } = require('./two.cts')
exports.get = async (): Promise<number[]> => [two, 3, 4]`,
      'two.cts': 'exports.two = 2 as number',
    },
  },
]

const esModules: readonly object[] = [
  {
    entry: 'main.mjs',
    files: {
      'main.mjs': `import * as lib from './lib/two.mjs'
import data from './three.json' with { type: 'json' }
export const get = async () => [lib.two, data.three, (await import('./four.cjs')).four]`,
      'lib/two.mjs': "import one from '../one.cjs'\nexport const two = one + 1",
      'one.cjs': 'module.exports = 1',
      'three.json': '{ "three": 3 }',
      'four.cjs': 'exports.four = 4',
    },
  },
  {
    entry: 'main.mts',
    files: {
      'main.mts': `import { two } from './two.mts'
export const get = async (): Promise<number[]> => [two, 3, 4]`,
      'two.mts': 'export const two: number = 2',
    },
  },
]

/** One value of each kind that crosses between host and guest. */
export const structuredValues: readonly unknown[] = [
  undefined,
  null,
  true,
  1.5,
  -0,
  Number.NaN,
  -Infinity,
  2n ** 70n,
  'é\u{1F600}\0',
  [1, 'two', [3]],
  { a: { b: [undefined, null] } },
  JSON.parse('{"constructor":2,"toString":3,"":4}'),
  new Date(5),
  new Uint8Array([1, 2, 255]),
  new Float64Array([1.5]),
  new Map<unknown, unknown>([['k', new Set([1, 'x'])]]),
  Array.from({ length: 300 }, (_, index) => index),
  'x'.repeat(100_000),
]

const oddThings: readonly string[] = [
  'undefined',
  'null',
  "'text'",
  '5',
  '5n',
  'Symbol()',
  '() => {}',
  'Object.freeze(new Error("frozen"))',
  'Object.create(null)',
  'new Proxy({}, { get() { throw 1 }, ownKeys() { throw 1 }, getOwnPropertyDescriptor() { throw 1 }, getPrototypeOf() { throw 1 }, has() { throw 1 } })',
  '{ get message() { throw 1 } }',
  '{ get stack() { return {} } }',
  'Object.defineProperty(new Error(), "code", { get() { throw 1 } })',
  'Object.assign(new Error(), { call() {}, deep: { call() {} } })',
  '(() => { const circle = new Error("round"); circle.cause = circle; return circle })()',
]
