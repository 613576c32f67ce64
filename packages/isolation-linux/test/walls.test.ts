import { policyParts } from '@confine-sandbox/contract'
import { expect, test } from 'vitest'
import { wallsOf } from '../src/walls.ts'

const all = [
  'mount-ns',
  'pid-ns',
  'net-ns',
  'read-only-root',
  'no-capabilities',
  'no-new-privs',
  'seccomp-notify',
  'no-new-descriptors',
  'landlock-7',
]

test('every part has its walls when all layers stand', () => {
  expect(wallsOf(all)).toEqual({
    files: ['read-only-root', 'landlock-7', 'seccomp-notify'],
    network: ['net-ns', 'no-new-descriptors', 'seccomp-notify'],
    processes: ['pid-ns', 'seccomp-notify', 'landlock-7'],
    privileges: ['no-capabilities', 'no-new-privs', 'seccomp-notify'],
    syscalls: ['seccomp-notify'],
  })
})

test('without a layer its walls are missing', () => {
  const without = (name: string) => wallsOf(all.filter((layer) => layer !== name))
  expect(without('mount-ns').files).toEqual(['landlock-7', 'seccomp-notify'])
  expect(without('landlock-7').files).toEqual(['read-only-root', 'seccomp-notify'])
  expect(without('net-ns').network).toEqual(['no-new-descriptors', 'seccomp-notify'])
  expect(without('seccomp-notify').syscalls).toEqual([])
})

test('where files were granted the filter is no wall before them', () => {
  expect(wallsOf(all.filter((layer) => layer !== 'no-new-descriptors')).files).toEqual(['read-only-root', 'landlock-7'])
})

test('Landlock holds processes from ABI 6 on', () => {
  const processes = (abi: number) => wallsOf([`landlock-${abi}`]).processes
  expect(processes(5)).toEqual([])
  expect(processes(6)).toEqual(['landlock-6'])
  expect(processes(10)).toEqual(['landlock-10'])
})

test('Landlock holds files from ABI 3 on, and never the network', () => {
  const walls = (abi: number) => wallsOf([`landlock-${abi}`])
  expect(walls(2).files).toEqual([])
  expect(walls(3).files).toEqual(['landlock-3'])
  expect(walls(9).network).toEqual([])
})

test('seccomp holds no files of a guest that may open some', () => {
  const granted = all.filter((layer) => layer !== 'no-new-descriptors')
  expect(wallsOf(granted).files).toEqual(['read-only-root', 'landlock-7'])
})

test('without namespaces the network is held by the want of descriptors, processes by an identity that nobody has', () => {
  const bare = ['no-capabilities', 'no-new-privs', 'seccomp-notify', 'own-uid', 'no-new-descriptors', 'landlock-3']
  expect(wallsOf(bare)).toEqual({
    files: ['landlock-3', 'seccomp-notify'],
    network: ['no-new-descriptors', 'seccomp-notify'],
    processes: ['own-uid', 'seccomp-notify'],
    privileges: ['no-capabilities', 'no-new-privs', 'seccomp-notify'],
    syscalls: ['seccomp-notify'],
  })
})

test('no layers are no walls', () => {
  for (const part of policyParts) expect(wallsOf([])[part]).toEqual([])
})
