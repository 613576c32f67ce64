import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { flattenGlobals } from '../src/globals.ts'

test('nested functions get dotted names and keep their owner', () => {
  const globals = { log() {}, math: { deep: { add() {} } } }
  const { functions, owners } = flattenGlobals(globals)
  expect([...functions]).toEqual([
    ['log', globals.log],
    ['math.deep.add', globals.math.deep.add],
  ])
  expect(owners.get('math.deep.add')).toBe(globals.math.deep)
})

test('other values are told apart from functions', () => {
  const { values } = flattenGlobals({ name: 'x', nested: { list: [1], empty: {}, when: new Date(0) }, f() {} })
  expect(values).toEqual([
    ['name', 'x'],
    ['nested.list', [1]],
    ['nested.empty', {}],
    ['nested.when', new Date(0)],
  ])
})

test('nothing is taken from a prototype', () => {
  const globals = Object.create({ inherited() {} }, { own: { value() {}, enumerable: true } })
  const { functions } = flattenGlobals(globals)
  expect([...functions.keys()]).toEqual(['own'])
  for (const name of ['constructor', 'constructor.constructor', '__proto__', 'toString']) expect(functions.has(name)).toBe(false)
})

test('the console of Node can be given as it is', () => {
  expect(flattenGlobals({ console }).functions.get('console.log')).toBe(console.log)
})

test.each([
  ['a string', 'x'],
  ['an array', [() => {}]],
  ['null', null],
  ['a function', () => {}],
  ['a name with a dot', { 'a.b': () => {} }],
  ['an empty name', { '': () => {} }],
  ['__proto__ as a name', JSON.parse('{"__proto__": 1}')],
  [
    'a cycle',
    (() => {
      const cycle: any = { f() {} }
      cycle.cycle = cycle
      return cycle
    })(),
  ],
])('%s is refused', (_name, globals) => {
  expect(() => flattenGlobals(globals)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
})

test('an object of a class is refused: its fields would be copied, and nothing of what it is for', () => {
  class Database {
    password = 'secret'
    query() {}
  }
  class Cached extends Database {
    override password = 'other'
  }
  const refused = expect.objectContaining({
    code: 'ERR_CONFINE_BAD_OPTION',
    message: expect.stringContaining(
      'The global tools.db is an object whose class has its methods. Give the guest the functions that it needs: { db: { query: ',
    ),
  })
  expect(() => flattenGlobals({ tools: { db: new Database() } })).toThrow(refused)
  expect(() => flattenGlobals({ tools: { db: new Cached() } })).toThrow(refused)
})

test('data of a class without methods, of the language and of other realms is copied', () => {
  class Point {
    x = 1
  }
  const data = { point: new Point(), map: new Map(), bytes: new Uint8Array(1), error: new RangeError('x'), boxed: Object(1n) }
  expect(flattenGlobals({ ...data, foreign: runInNewContext('({ a: [1], when: new Date(0) })') }).values.map(([name]) => name)).toEqual([
    ...Object.keys(data),
    'foreign',
  ])
})
