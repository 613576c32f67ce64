import { expect, test } from 'vitest'
import { systemCall } from '../src/system-calls.ts'

test.each<[unknown, ...unknown[]]>([
  ['random'],
  ['random', -1],
  ['random', Number.NaN],
  ['random', 65_537],
  ['random', '5'],
  ['random', {}],
  ['url', 5],
  ['url', 'http://h', {}],
  ['url-with', 'no', 'host', 'x'],
  ['url-with', 'http://h', 'host', {}],
  ['domain', {}],
  ['decode', 'utf-8', 'text', false],
  ['constructor'],
  ['__proto__'],
  [{}],
  [undefined],
])('%j is refused', (...args) => {
  expect(() => systemCall(...(args as [unknown]))).toThrow(TypeError)
})

test.each<[unknown, unknown[]]>([
  [undefined, ['encoding', 'nothing']],
  [undefined, ['encoding', {}]],
  [undefined, ['decode', 'nothing', new Uint8Array(), false]],
  [undefined, ['decode', 'utf-8', new Uint8Array([0xff]), true]],
  ['\uFFFD', ['decode', 'utf-8', new Uint8Array([0xff]), false]],
  [undefined, ['url', 'no']],
  ['xn--bcher-kva.example', ['domain', 'bücher.example', 'ascii']],
])('gives %j', (expected, args) => {
  expect(systemCall(...(args as [unknown]))).toEqual(expected)
})

test('decodes what both sides could change from a copy', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(0x61)
  expect(systemCall('decode', 'utf-8', shared.subarray(1), true)).toBe('aaa')
})

test('changes a part of a URL and nothing else', () => {
  expect(systemCall('url-with', 'http://h/', 'constructor', 'x')).toMatchObject({ href: 'http://h/' })
  expect(systemCall('url-with', 'http://h/', 'href', 'http://other')).toMatchObject({ href: 'http://h/' })
  expect(systemCall('url-with', 'http://h/', 'hash', 'x')).toMatchObject({ href: 'http://h/#x' })
})
