import { expect, test } from 'vitest'
import { syscallRules } from '../src/syscall-rules.ts'
import { syscallSummary } from '../src/syscall-summary.ts'

test.each(['x64', 'arm64'] as const)('names every call of the table once (%s)', (architecture) => {
  const policy = { threads: false }
  const summary = syscallSummary(policy, architecture)
  expect(Object.values(summary).flat().sort()).toEqual([...syscallRules(policy, architecture).keys()].sort())
  expect(summary.allowed).toContain('read')
  expect(summary.checked).toContain('mmap')
  expect(summary.refused).toEqual(expect.arrayContaining(['clone3', 'lseek']))
  expect(summary.reported).toEqual(expect.arrayContaining(['openat', 'socket', 'execve']))
  expect(summary.killed).toContain('ptrace')
})

test('files make calls checked that are reported without', () => {
  expect(syscallSummary({ threads: false, read: ['/data'] }, 'x64').checked).toContain('openat')
})
