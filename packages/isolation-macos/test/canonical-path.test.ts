import { describe, expect, test } from 'vitest'
import { requireCanonical, withoutNested } from '../src/canonical-path.ts'
import { librariesOf } from '../src/node-libraries.ts'
import { ancestors } from '../src/profile/ancestors.ts'

describe('requireCanonical', () => {
  test.each(['/a', '/a/b c/é', '/a/..b', '/a/b.', '/...'])('takes %s', (path) => {
    expect(requireCanonical(path, 'it')).toBe(path)
  })

  test.each(['/a/', '//a', '/a//b', '/a/.', '/./a', '/a/../b', '/..'])('refuses %s', (path) => {
    expect(() => requireCanonical(path, 'it')).toThrow('it is not in its shortest form')
  })
})

test('withoutNested leaves out what another path contains', () => {
  expect(withoutNested(['/a/b', '/a', '/ab', '/a', '/c/d'])).toEqual(['/a', '/ab', '/c/d'])
})

test('ancestors are the directories above, without the root', () => {
  expect(ancestors(['/a/b/c', '/a/d', '/e'])).toEqual(['/a', '/a/b'])
})

describe('librariesOf', () => {
  test.each(['/usr/local/bin/node', '/Users/ada/.nvm/versions/node/v24.21.0/bin/node', '/opt/homebrew-node/bin/node'])(
    '%s needs none',
    (node) => {
      expect(librariesOf(node)).toEqual([])
    },
  )

  test.each([
    ['/opt/homebrew/Cellar/node/24.21.0/bin/node', '/opt/homebrew/opt'],
    ['/usr/local/Cellar/node/24.21.0/bin/node', '/usr/local/opt'],
    ['/opt/local/bin/node', '/opt/local/lib'],
    ['/nix/store/abc-nodejs-24/bin/node', '/nix/store'],
  ])('%s needs %s', (node, directory) => {
    expect(librariesOf(node)).toContain(directory)
  })
})
