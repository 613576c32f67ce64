import vm from 'node:vm'
import { describe as suite, expect, test } from 'vitest'
import { describe, findMethod } from '../src/exported.ts'

class Base {
  inherited() {}
  #secret = 1
  get computed() {
    return () => this.#secret
  }
}
class Derived extends Base {
  static made() {}
  own() {}
}

const root = {
  add: () => 3,
  'dotted.name': () => 'dotted',
  nested: { deep: { call: () => 'deep' }, value: 5 },
  object: new Derived(),
  Derived,
  list: [() => 'first'],
  map: new Map([['get', 1]]),
  text: 'text',
  nothing: null,
  bare: Object.assign(Object.create(null), { call: () => 'bare' }),
  get lazy() {
    return () => 'lazy'
  },
}

suite('a name that leads to a function', () => {
  test.each([
    'add',
    'dotted.name',
    'nested.deep.call',
    'object.own',
    'object.inherited',
    'object.computed',
    'Derived',
    'Derived.made',
    'list.0',
    'bare.call',
    'lazy',
  ])('%s', (name) => {
    expect(findMethod(root, name)?.call).toBeTypeOf('function')
  })

  test('is called on the object that holds it', () => {
    expect(findMethod(root, 'nested.deep.call')?.owner).toBe(root.nested.deep)
    expect(findMethod(root, 'object.own')?.owner).toBe(root.object)
    expect(findMethod(root, 'add')?.owner).toBe(root)
  })
})

const unreachable = [
  'constructor',
  'constructor.constructor',
  '__proto__',
  '__proto__.toString',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  '__lookupGetter__',
  'isPrototypeOf',
  'object.constructor',
  'object.toString',
  'object.__proto__.own',
  'Derived.prototype',
  'Derived.prototype.own',
  'Derived.constructor',
  'Derived.call',
  'add.call',
  'add.apply',
  'add.bind',
  'add.constructor',
  'add.toString',
  'list.push',
  'list.map',
  'list.constructor',
  'map.get',
  'map.set',
  'map.forEach',
  'text.at',
  'text.length.toFixed',
  'nested',
  'nested.value',
  'nested.missing',
  'nothing',
  'nothing.at',
  'missing',
  'missing.deeper',
  '',
  '.',
  '..',
  'add.',
  '.add',
  'nested..deep',
  ' add',
]

suite('a name that leads nowhere', () => {
  test.each(unreachable)('%j', (name) => {
    expect(findMethod(root, name)).toBeUndefined()
  })

  test.each(unreachable)('%j of another realm', (name) => {
    const other = vm.runInNewContext(`
      class Derived { own() {} static made() {} }
      ({ add: () => 3, nested: { deep: { call() {} }, value: 5 }, object: new Derived(), Derived, list: [1], map: new Map(), text: 'text', nothing: null })`)
    expect(findMethod(other, name)).toBeUndefined()
  })

  test.each([undefined, null, 5, 'text', Symbol('s')])('in %o', (value) => {
    expect(findMethod(value, 'at')).toBeUndefined()
  })

  test("what a program put on the language's prototypes", () => {
    const realm = vm.runInNewContext(
      'Object.prototype.planted = () => 1; Function.prototype.planted = () => 1; Array.prototype.planted = () => 1; ({ f() {}, a: [] })',
    )
    expect(findMethod(realm, 'planted')).toBeUndefined()
    expect(findMethod(realm, 'f.planted')).toBeUndefined()
    expect(findMethod(realm, 'a.planted')).toBeUndefined()
  })

  test('a chain of prototypes without an end', () => {
    const endless: object = new Proxy({}, { getPrototypeOf: () => endless, getOwnPropertyDescriptor: () => undefined })
    expect(findMethod(endless, 'anything')).toBeUndefined()
  })
})

suite('the description', () => {
  test('has every function once, and objects that hold some', () => {
    expect(describe(root)).toEqual([
      { type: 'method', name: 'add' },
      { type: 'method', name: 'dotted.name' },
      { type: 'object', name: 'nested', children: [{ type: 'object', name: 'deep', children: [{ type: 'method', name: 'call' }] }] },
      {
        type: 'object',
        name: 'object',
        children: [
          { type: 'method', name: 'own' },
          { type: 'method', name: 'computed' },
          { type: 'method', name: 'inherited' },
        ].sort(byOrderOf(['own', 'inherited', 'computed'])),
      },
      { type: 'method', name: 'Derived' },
      { type: 'object', name: 'list', children: [{ type: 'method', name: '0' }] },
      { type: 'object', name: 'bare', children: [{ type: 'method', name: 'call' }] },
      { type: 'method', name: 'lazy' },
    ])
  })

  test('names only what can be called', () => {
    const names = (children: readonly any[], prefix = ''): string[] =>
      children.flatMap((child) => (child.type === 'method' ? [prefix + child.name] : names(child.children, `${prefix}${child.name}.`)))
    for (const name of names(describe(root))) expect(findMethod(root, name), name).toBeDefined()
  })

  test.each([undefined, null, 5, 'text', {}, []])('of %o is empty', (value) => {
    expect(describe(value)).toEqual([])
  })

  test('ends, though what it describes does not', () => {
    const circle: Record<string, unknown> = { call() {} }
    circle.self = circle
    circle.again = { circle }
    expect(describe(circle)).toEqual([{ type: 'method', name: 'call' }])
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f${index}`, () => {}]))
    expect(describe(wide)).toHaveLength(10_000)
    let deep: Record<string, unknown> = { call() {} }
    for (let depth = 0; depth < 1000; depth++) deep = { deep }
    expect(describe(deep)).toEqual([])
    const tree: Record<string, unknown> = {}
    let level = tree
    for (let depth = 0; depth < 15; depth++) {
      const next = { f() {} }
      for (let index = 0; index < 10; index++) level[`k${index}`] = next
      level = next as never
    }
    expect(JSON.stringify(describe(tree)).length).toBeLessThan(2_000_000)
  })

  test('leaves out what throws', () => {
    const thrower = {
      ok() {},
      get bad() {
        throw new Error('no')
      },
      proxy: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
          get: () => {
            throw new Error('no')
          },
        },
      ),
    }
    expect(describe(thrower)).toEqual([{ type: 'method', name: 'ok' }])
  })
})

function byOrderOf(names: string[]) {
  return (a: { name: string }, b: { name: string }) => names.indexOf(a.name) - names.indexOf(b.name)
}
