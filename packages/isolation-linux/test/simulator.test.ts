import { expect, test } from 'vitest'
import { assemble } from '../src/bpf.ts'
import { simulate } from '../src/simulator.ts'

const call = { number: 5, args: [0x1122334455667788n], architecture: 'x64' } as const

test.each([
  ['number', 0, 5],
  ['architecture', 4, 0xc000003e],
  ['low word of an argument', 16, 0x55667788],
  ['high word of an argument', 20, 0x11223344],
  ['an argument that was not given', 56, 0],
])('reads the %s', (_name, offset, value) => {
  const program = assemble([
    { load: offset },
    { jump: 'eq', k: value, no: 'other' },
    { return: 0x7fff0000 },
    { label: 'other' },
    { return: 0x80000000 },
  ])
  expect(simulate(program, call)).toBe('allow')
})

test('tells an errno from the other actions', () => {
  expect(simulate(assemble([{ return: 0x00050026 }]), call)).toEqual({ error: 38 })
  expect(simulate(assemble([{ return: 0x7fc00000 }]), call)).toBe('notify')
})

test('refuses what is no program', () => {
  expect(() => simulate(assemble([{ load: 0 }]), call)).toThrow('ends without a return')
  expect(() => simulate(assemble([{ load: 2 }, { return: 0 }]), call)).toThrow('not aligned')
  expect(() => simulate([{ code: 0x16, k: 0, jumpTrue: 0, jumpFalse: 0 }], call)).toThrow('no instruction')
  expect(() => simulate(assemble([{ return: 0x00030000 }]), call)).toThrow('no action')
})
