import { describe, expect, test } from 'vitest'
import { readProgram } from '../src/options.ts'

describe('the source', () => {
  test.each([
    ['text', 'a'],
    ['text with a byte order mark', '\uFEFFa'],
    ['bytes', new TextEncoder().encode('a')],
    ['bytes with a byte order mark', new TextEncoder().encode('\uFEFFa')],
    ['a Buffer', Buffer.from('a')],
    ['an ArrayBuffer', new TextEncoder().encode('a').buffer],
  ])('is %s', (_, source) => {
    expect(readProgram({ source: source as string }).text).toBe('a')
  })

  test('is missing', () => {
    expect(() => readProgram({})).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_SOURCE_MISSING' }))
  })

  test.each([null, 5, {}, [], () => 'a'])('is not %s', (source) => {
    expect(() => readProgram({ source: source as never })).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
  })
})

describe('the path', () => {
  test.each([
    [{}, '/guest/main.js'],
    [{ path: '/a/b.js' }, '/a/b.js'],
    [{ sourcePath: '/a/c.js' }, '/a/c.js'],
    [{ path: '/a/b.js', sourcePath: '/a/c.js' }, '/a/b.js'],
    [{ sourcePath: 'c.js' }, '/guest/c.js'],
    [{ sourcePath: '../../etc/c.js' }, '/etc/c.js'],
  ])('of %o is %s', (options, path) => {
    expect(readProgram({ source: '', ...options }).path).toBe(path)
  })

  test.each(['a.js', './a.js', '', 5, null, {}])('is not %o', (path) => {
    const act = () => readProgram({ source: '', path: path as string })
    expect(act).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining('absolute path') }))
  })
})

test.each([
  ['timeout', 'use timeoutMs'],
  ['memoryLimitMiB', 'use limits: { memoryMiB }'],
])('%s is no option here, and who gives it is told what is', (name, advice) => {
  expect(() => readProgram({ source: '', [name]: 64 })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining(advice) }),
  )
})

test.each([null, 5, 'a', () => {}])('globals are not %o', (globals) => {
  expect(() => readProgram({ source: '', globals: globals as never })).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
})
