import { describe, expect, test } from 'vitest'
import { decide } from '../../src/evaluator/decide.ts'
import type { Attempt } from '../../src/evaluator/filter.ts'
import { readProfile } from '../../src/evaluator/read-profile.ts'
import { type ProfileInput, profile } from '../../src/profile/profile.ts'
import { plain } from '../profile/inputs.ts'
import { hostileActs } from './hostile-acts.ts'

/** What a guest with `onViolation: 'kill'` is ended for. */
const fatal = /^(process-(exec|fork)|network-|file-write-)/

describe.each([
  ['plain', plain],
  ['hardened', { ...plain, hardened: true }],
  ['with files to read', { ...plain, grants: { read: ['/Users/ada/granted'], write: [] } }],
  ["with onViolation 'deny'", { ...plain, onViolation: 'deny' }],
] as const)('a guest, %s,', (_, input) => {
  const rules = rulesOf(input)

  test.each(hostileActs)('cannot %s', (_, attempt) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'deny' })
  })

  test.each(hostileActs)(
    `${input.onViolation === 'kill' ? 'ends by SIGSYS' : 'stays alive'} when it tries what Node never does: %s`,
    (_, attempt) => {
      const isFatal = input.onViolation === 'kill' && fatal.test(attempt.operation)
      expect(decide(rules, attempt).signal).toBe(isFatal ? 'SIGSYS' : undefined)
    },
  )

  test('sees of the working directory that it is empty', () => {
    expect(decide(rules, { operation: 'file-read-data', path: input.cwd }).action).toBe('allow')
    expect(decide(rules, { operation: 'file-read-data', path: `${input.cwd}/a` }).action).toBe('deny')
  })

  // Not as on Linux: without it dyld ends every program on macOS 26 before main().
  test('can list the names in the root directory, and nothing below', () => {
    expect(decide(rules, { operation: 'file-read-data', path: '/' }).action).toBe('allow')
    expect(decide(rules, { operation: 'file-read-xattr', path: '/' }).action).toBe('deny')
    expect(decide(rules, { operation: 'file-write-create', path: '/' }).action).toBe('deny')
    for (const name of ['Users', 'Volumes', 'private', 'Library', 'opt', 'usr', 'System']) {
      expect(decide(rules, { operation: 'file-read-data', path: `/${name}` }).action).toBe('deny')
    }
  })
})

describe('a hardened guest', () => {
  const plainRules = rulesOf(plain)
  const rules = rulesOf({ ...plain, hardened: true })

  test.each<readonly [string, Attempt, string | undefined]>([
    ['make code', { operation: 'dynamic-code-generation' }, undefined],
    ...['SYS_fork', 'SYS_vfork', 'SYS_posix_spawn', 'SYS_socket', 'SYS_connect', 'SYS_ptrace', 'SYS_kill', 'SYS_unlink', 'SYS_mkdir'].map(
      (name): readonly [string, Attempt, string] => [`call ${name}`, { operation: 'syscall-unix', name }, 'SIGSYS'],
    ),
  ])('cannot %s, which a plain guest can', (_, attempt, signal) => {
    expect(decide(rules, attempt)).toMatchObject({ action: 'deny', ...(signal ? { signal } : {}) })
    expect(decide(plainRules, attempt)).toEqual({ action: 'allow' })
  })
})

function rulesOf(input: ProfileInput) {
  const { text, parameters } = profile(input)
  return readProfile(text, parameters)
}
