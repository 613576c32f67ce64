import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pathModule } from '../../src/inside/node/path.ts'

const path = pathModule()
const pieces = ['', '.', '..', '/', '//', 'a', 'b.js', '.c', 'd.', '..e', 'f.tar.gz', '...', 'a b', '/x', 'y/']

/** Every path of up to three pieces. */
function* paths(): Generator<string> {
  for (const one of pieces) for (const two of pieces) for (const three of pieces) yield `${one}/${two}/${three}`.slice(0)
  for (const one of pieces) for (const two of pieces) yield one + two
}

describe("is as Node's", () => {
  test.each(['normalize', 'dirname', 'basename', 'extname', 'isAbsolute', 'parse'] as const)('%s', (name) => {
    for (const given of paths()) {
      // Node's own parse() takes the second dot of /../ for an extension.
      if (name === 'parse' && posix.basename(given) === '..') continue
      expect(path[name](given), `${name}(${JSON.stringify(given)})`).toEqual(posix[name](given))
    }
  })

  test('join', () => {
    for (const one of pieces)
      for (const two of pieces) for (const three of pieces) expect(path.join(one, two, three)).toBe(posix.join(one, two, three))
    expect(path.join()).toBe('.')
  })

  test('resolve and relative, from the root', () => {
    for (const one of pieces) {
      for (const two of pieces) {
        expect(path.resolve(one, two), JSON.stringify([one, two])).toBe(posix.resolve('/', one, two))
        expect(path.relative(`/${one}`, `/${two}`)).toBe(posix.relative(`/${one}`, `/${two}`))
      }
    }
  })

  test('basename with a suffix, and format', () => {
    for (const name of ['a.js', '.js', 'js', 'a.js/']) expect(path.basename(name, '.js')).toBe(posix.basename(name, '.js'))
    for (const parts of [
      {},
      { dir: '/a', base: 'b' },
      { root: '/', base: 'b' },
      { dir: '/', root: '/', name: 'a', ext: 'js' },
      { name: 'a', ext: '.js' },
    ]) {
      expect(path.format(parts)).toBe(posix.format(parts as object))
    }
  })
})

test.each([undefined, null, 5, {}])('%o is no path', (value) => {
  expect(() => path.join(value as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
})
