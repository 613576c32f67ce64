import { describe, expect, test } from 'vitest'
import { decide } from '../../src/evaluator/decide.ts'
import type { Attempt } from '../../src/evaluator/filter.ts'
import { readProfile } from '../../src/evaluator/read-profile.ts'
import { type ProfileInput, profile } from '../../src/profile/profile.ts'
import { plain } from '../profile/inputs.ts'
import { hostileActs } from './hostile-acts.ts'

const read = ['/data', '/data/out/logs/old', '/single.txt']
const write = ['/data/out', '/result.txt', '/data/out/logs/old/new']
const granted: ProfileInput = { ...plain, grants: { read, write } }
const rules = rulesOf(granted)
const file = { vnodeType: 'REGULAR-FILE' } as const
const directory = { vnodeType: 'DIRECTORY' } as const

function rulesOf(input: ProfileInput) {
  const { text, parameters } = profile(input)
  return readProfile(text, parameters)
}

describe('a guest with files', () => {
  test.each<readonly [string, Attempt]>([
    ['read a granted file', { operation: 'file-read-data', path: '/single.txt' }],
    ['list a granted directory', { operation: 'file-read-data', path: '/data' }],
    ['read below it', { operation: 'file-read-data', path: '/data/a/b' }],
    ['read what may be written', { operation: 'file-read-data', path: '/result.txt' }],
    ['ask for what is not there', { operation: 'file-read-metadata', path: '/data/none' }],
    ['make a file', { operation: 'file-write-create', path: '/data/out/new', ...file }],
    ['make a directory', { operation: 'file-write-create', path: '/data/out/sub', ...directory }],
    ['write a file', { operation: 'file-write-data', path: '/data/out/new', ...file }],
    ['write the one file', { operation: 'file-write-data', path: '/result.txt', ...file }],
    ['remove or move a file', { operation: 'file-write-unlink', path: '/data/out/new', ...file }],
    ['set its mode', { operation: 'file-write-mode', path: '/data/out/new' }],
    ['set its times', { operation: 'file-write-times', path: '/data/out/new' }],
    ['write within what is read-only within it, where that is granted', { operation: 'file-write-data', path: '/data/out/logs/old/new/a' }],
  ])('can %s', (_, attempt) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'allow' })
  })

  test.each<readonly [string, Attempt]>([
    ['write what may only be read', { operation: 'file-write-data', path: '/data/a' }],
    ['make a file there', { operation: 'file-write-create', path: '/data/a', ...file }],
    ['write the file beside', { operation: 'file-write-data', path: '/result.txt.bak', ...file }],
    ['write what is read-only within', { operation: 'file-write-data', path: '/data/out/logs/old/a' }],
    ['make a file in it', { operation: 'file-write-create', path: '/data/out/logs/old/a', ...file }],
    ['move it away', { operation: 'file-write-unlink', path: '/data/out/logs/old', ...directory }],
    ['move a directory above it away', { operation: 'file-write-unlink', path: '/data/out/logs', ...directory }],
    ['remove the granted directory', { operation: 'file-write-unlink', path: '/data/out', ...directory }],
    ['remove the granted file', { operation: 'file-write-unlink', path: '/result.txt', ...file }],
    ['remove a granted directory within', { operation: 'file-write-unlink', path: '/data/out/logs/old/new', ...directory }],
    ['make a symbolic link', { operation: 'file-write-create', path: '/data/out/link', vnodeType: 'SYMLINK' }],
    ['make a pipe', { operation: 'file-write-create', path: '/data/out/pipe', vnodeType: 'FIFO' }],
    ['make a socket', { operation: 'file-write-create', path: '/data/out/socket', vnodeType: 'SOCKET' }],
    ['make a device', { operation: 'file-mknod', path: '/data/out/disk' }],
    ['make a hard link', { operation: 'file-link', path: '/data/out/new' }],
    ['clone a file', { operation: 'file-clone', path: '/data/out/new' }],
    ['make it set-user-ID', { operation: 'file-write-setugid', path: '/data/out/new' }],
    ['give it away', { operation: 'file-write-owner', path: '/data/out/new' }],
    ['lock it', { operation: 'file-write-flags', path: '/data/out/new' }],
    ['set an attribute', { operation: 'file-write-xattr', path: '/data/out/new' }],
    ['execute it', { operation: 'process-exec', path: '/data/out/new' }],
    ['execute what may be read', { operation: 'process-exec', path: '/data/tool' }],
    ['load it as code', { operation: 'file-map-executable', path: '/data/out/evil.node' }],
    ['load what may be read as code', { operation: 'file-map-executable', path: '/data/evil.node' }],
    ['bind a socket in it', { operation: 'network-bind', path: '/data/out/socket' }],
    ['connect to one in it', { operation: 'network-outbound', path: '/data/out/socket' }],
    ['list the directory above', { operation: 'file-read-data', path: '/Users' }],
  ])('cannot %s', (_, attempt) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'deny' })
  })

  test.each(hostileActs)('still cannot %s', (_, attempt) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'deny' })
  })

  test('is not ended for a write elsewhere, but for everything else that Node never does', () => {
    expect(decide(rules, { operation: 'file-write-create', path: '/private/tmp/x' }).signal).toBeUndefined()
    expect(decide(rules, { operation: 'process-fork' }).signal).toBe('SIGSYS')
    expect(decide(rules, { operation: 'network-outbound' }).signal).toBe('SIGSYS')
    const reading = rulesOf({ ...plain, grants: { read, write: [] } })
    expect(decide(reading, { operation: 'file-write-create', path: '/private/tmp/x' }).signal).toBe('SIGSYS')
  })

  test('makes the system calls for it when hardened, and only when there is something to write', () => {
    const hardened = rulesOf({ ...granted, hardened: true })
    const reading = rulesOf({ ...granted, hardened: true, grants: { read, write: [] } })
    for (const call of ['mkdir', 'rename', 'unlink', 'ftruncate', 'fchmod', 'fsync']) {
      expect(decide(hardened, { operation: 'syscall-unix', name: `SYS_${call}` }).action).toBe('allow')
      expect(decide(reading, { operation: 'syscall-unix', name: `SYS_${call}` })).toMatchObject({ action: 'deny', signal: 'SIGSYS' })
    }
    for (const call of ['symlink', 'link', 'clonefileat', 'chown', 'chflags', 'setxattr', 'mkfifo', 'mknod', 'chdir']) {
      expect(decide(hardened, { operation: 'syscall-unix', name: `SYS_${call}` }).action).toBe('deny')
    }
  })

  test('every rule changes an answer', () => {
    const acts: readonly Attempt[] = [
      { operation: 'file-read-data', path: '/data/a' },
      { operation: 'file-read-metadata', path: '/data/out/logs/old/new' },
      { operation: 'file-test-existence', path: '/private/granted' },
      ...['file-write-data', 'file-write-create', 'file-write-unlink'].flatMap((operation) =>
        ['/data/out/a', '/result.txt', '/data/out/logs/old/new/a'].map((path) => ({ operation, path, ...file })),
      ),
    ]
    // Only a path of which nothing is granted around it shows the rule about ancestors.
    const far = rulesOf({ ...granted, grants: { read: [...read, '/private/granted/deep'], write } })
    const answers = (asked: typeof far) => acts.map((act) => decide(asked, act).action).join()
    const own = far.length - rulesOf(plain).length
    for (let index = far.length - own; index < far.length; index++) {
      // The rule for one single file that may be made is the only one that no act needs: the file is there.
      const changed = answers(far.toSpliced(index, 1)) !== answers(far)
      if (!changed) expect(JSON.stringify(far[index]?.form)).toMatch(/GRANTED_WRITE_1/)
    }
  })
})
