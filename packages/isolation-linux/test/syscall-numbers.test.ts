import { expect, test } from 'vitest'
import { type Architecture, syscallName, syscallNames, syscallNumber } from '../src/syscall-numbers.ts'

test.each([
  ['read', 0, 63],
  ['openat', 257, 56],
  ['clone', 56, 220],
  ['execve', 59, 221],
  ['mmap', 9, 222],
  ['seccomp', 317, 277],
  ['io_uring_setup', 425, 425],
  ['mseal', 462, 462],
  ['open', 2, undefined],
  ['no_such_call', undefined, undefined],
])('%s is %s on x64 and %s on arm64', (name, x64, arm64) => {
  expect(syscallNumber(name, 'x64')).toBe(x64)
  expect(syscallNumber(name, 'arm64')).toBe(arm64)
})

test.each<Architecture>(['x64', 'arm64'])('on %s each number has one name', (architecture) => {
  const names = syscallNames(architecture)
  expect(new Set(names.map((name) => syscallNumber(name, architecture))).size).toBe(names.length)
  for (const name of names) expect(syscallName(syscallNumber(name, architecture) as number, architecture)).toBe(name)
})

test('a number without a name is named by its number', () => {
  expect(syscallName(1234, 'x64')).toBe('syscall-1234')
  expect(syscallName(2, 'arm64')).toBe('io_submit')
})

test('from io_uring on both architectures count alike', () => {
  for (const name of syscallNames('x64')) {
    const number = syscallNumber(name, 'x64') as number
    if (number >= 424) expect(syscallNumber(name, 'arm64')).toBe(number)
  }
})
