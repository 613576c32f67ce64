import { describe, expect, test } from 'vitest'
import { decide } from '../../src/evaluator/decide.ts'
import type { Attempt } from '../../src/evaluator/filter.ts'
import { readProfile } from '../../src/evaluator/read-profile.ts'
import { profile } from '../../src/profile/profile.ts'
import type { Source } from '../../src/profile/sources.ts'
import { full, plain } from '../profile/inputs.ts'
import { startupNeeds } from './startup-needs.ts'

const read = 'file-read-data'
const metadata = 'file-read-metadata'
const map = 'file-map-executable'

describe('a plain guest', () => {
  const { text, parameters } = profile(plain)
  const rules = readProfile(text, parameters)

  test.each(startupNeeds)('%s [%s]', (_, __, attempt) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'allow' })
  })
})

describe('a guest on the node of Homebrew', () => {
  const { text, parameters } = profile(full)
  const rules = readProfile(text, parameters)

  test.each<readonly [string, Source, Attempt]>([
    ['node is started', 'zero-296', { operation: 'process-exec', path: full.node }],
    ['the link by which a library is named', 'zero-296', { operation: metadata, path: '/opt/homebrew/opt/libuv' }],
    ['the library', 'zero-296', { operation: map, path: '/opt/homebrew/Cellar/libuv/1.52.0/lib/libuv.1.dylib' }],
    ['above it', 'zero-296', { operation: metadata, path: '/opt/homebrew' }],
    ['an add-on of the runtime', 'firefox-map', { operation: map, path: `${full.reads[0]}/prebuilds/darwin-arm64/isolated-vm.node` }],
    ['a link between packages', 'cco-38', { operation: metadata, path: full.links[0]! }],
    ['above that link', 'cco-38', { operation: metadata, path: '/Users/ada/app/node_modules' }],
    ['sandbox-exec becomes node', 'chromium-common', { operation: 'syscall-unix', name: 'SYS_execve' }],
    ['libuv waits', 'ladybird', { operation: 'syscall-unix', name: 'SYS_kevent' }],
    ['the channel', 'chromium-renderer', { operation: 'syscall-unix', name: 'SYS_writev' }],
  ])('%s [%s]', (_, __, attempt) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'allow' })
  })

  test('a link between packages gives nothing but itself', () => {
    expect(decide(rules, { operation: read, path: full.links[0]! }).action).toBe('deny')
    expect(decide(rules, { operation: metadata, path: `${full.links[0]}/index.js` }).action).toBe('deny')
  })
})
