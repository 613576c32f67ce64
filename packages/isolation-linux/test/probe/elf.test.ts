import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isForeign } from '../../src/probe/elf.ts'

const elf = (machine: number) =>
  Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, machine & 0xff, machine >> 8)

test('a program is at home on its own architecture only', () => {
  expect(isForeign(elf(62), 'x64')).toBe(false)
  expect(isForeign(elf(62), 'arm64')).toBe(true)
  expect(isForeign(elf(183), 'arm64')).toBe(false)
  expect(isForeign(elf(183), 'x64')).toBe(true)
  expect(isForeign(elf(62), 'riscv64')).toBe(true)
  expect(isForeign(readFileSync(process.execPath).subarray(0, 20), process.arch)).toBe(false)
})

test('a script is at home, and what is neither is not', () => {
  expect(isForeign(new TextEncoder().encode('#!/bin/sh\n'), 'x64')).toBe(false)
  expect(isForeign(new Uint8Array(), 'x64')).toBe(true)
  expect(isForeign(elf(62).subarray(0, 18), 'x64')).toBe(true)
  expect(isForeign(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1'), 'x64')).toBe(true)
})
