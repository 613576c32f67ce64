import { inspect } from 'node:util'
import { expect, test, vi } from 'vitest'
import { containerApi } from '../src/container-api.ts'

function make() {
  const call = vi.fn(async (name: string, params: unknown[]) => [name, params])
  return { call, api: containerApi<any>(call) }
}

test('a name is a function, and names nest', async () => {
  const { api } = make()
  expect(await api.add(1, 2)).toEqual(['add', [1, 2]])
  expect(await api.math.deep.add()).toEqual(['math.deep.add', []])
  const { call, apply, bind, name, length, catch: caught } = api as Record<string, () => Promise<unknown>>
  for (const [index, fn] of [call, apply, bind, name, length, caught].entries()) {
    expect(await fn?.()).toEqual([['call', 'apply', 'bind', 'name', 'length', 'catch'][index], []])
  }
})

test('it is no thenable on any level: awaiting it calls nothing', async () => {
  const { api, call } = make()
  expect(await api).toBe(api)
  const nested = api.math
  expect(await nested).toBe(nested)
  expect(call).not.toHaveBeenCalled()
})

test('what every object has is refused, and so is anything that would change it', () => {
  const { api, call } = make()
  for (const node of [api, api.nested]) {
    for (const name of ['then', 'constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__']) {
      expect(node[name], name).toBeUndefined()
    }
    expect(node[Symbol.toPrimitive]).toBeUndefined()
    expect(Object.getPrototypeOf(node)).toBeNull()
    expect(Reflect.ownKeys(node)).toEqual([])
    expect('anything' in node).toBe(false)
    expect(Reflect.set(node, 'a', 1)).toBe(false)
    expect(Reflect.defineProperty(node, 'a', { value: 1 })).toBe(false)
    expect(Reflect.setPrototypeOf(node, {})).toBe(false)
    expect(Reflect.preventExtensions(node)).toBe(false)
    expect(() => new node()).toThrow(TypeError)
  }
  inspect(api, { depth: 5 })
  expect(() => JSON.stringify({ api })).not.toThrow()
  expect(call).not.toHaveBeenCalled()
})
