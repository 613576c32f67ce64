import { expect, test } from 'vitest'
import { readApiDescription } from '../src/index.ts'

const method = (name: string) => ({ type: 'method', name })

test('a description is copied, and what is none is left out', () => {
  const tree = { type: 'api', children: [method('f'), { type: 'object', name: 'o', children: [method('g')] }] }
  expect(readApiDescription(tree)).toEqual(tree)
  for (const none of [undefined, null, 5, 'text', [], {}, { children: 'abc' }, { children: {} }]) {
    expect(readApiDescription(none)).toEqual({ type: 'api', children: [] })
  }
  const odd = [
    null,
    5,
    'f',
    {},
    { type: 'method' },
    { type: 'method', name: 5 },
    { type: 'getter', name: 'x' },
    { type: 'object', name: '__proto__' },
  ]
  expect(readApiDescription({ children: odd }).children).toEqual([{ type: 'object', name: '__proto__', children: [] }])
})

test('depth and number are bounded', () => {
  const loop: Record<string, unknown> = { type: 'object', name: 'loop' }
  loop.children = [loop]
  expect(JSON.stringify(readApiDescription(loop)).split('loop').length).toBeLessThan(40)
  expect(readApiDescription({ children: Array.from({ length: 50_000 }, (_, index) => method(`f${index}`)) }).children).toHaveLength(20_000)
})
