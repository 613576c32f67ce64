import { expect, test } from 'vitest'
import { assemble, encodeProgram, type Line } from '../src/bpf.ts'

test('jumps lead to their labels', () => {
  const program = assemble([
    { load: 0 },
    { jump: 'eq', k: 7, yes: 'found' },
    { jump: 'ge', k: 9, no: 'found' },
    { return: 0 },
    { label: 'found' },
    { return: 1 },
  ])
  expect(program.map(({ jumpTrue, jumpFalse }) => [jumpTrue, jumpFalse])).toEqual([
    [0, 0],
    [2, 0],
    [0, 1],
    [0, 0],
    [0, 0],
  ])
})

test('a jump that does not reach is refused, not cut', () => {
  const between = new Array<Line>(256).fill({ return: 0 })
  const lines: Line[] = [{ jump: 'eq', k: 0, yes: 'far' }, ...between, { label: 'far' }, { return: 1 }]
  expect(() => assemble(lines)).toThrow('The jump to far does not reach: 256 instructions')
  expect(() => assemble(lines.toSpliced(1, 1))).not.toThrow()
})

test('a jump back or to nowhere is refused', () => {
  expect(() => assemble([{ label: 'back' }, { load: 0 }, { jump: 'eq', k: 0, yes: 'back' }])).toThrow(RangeError)
  expect(() => assemble([{ jump: 'eq', k: 0, yes: 'nowhere' }])).toThrow('The jump to nowhere does not reach')
})

test('a program is encoded as the kernel reads it', () => {
  const program = assemble([
    { load: 4 },
    { jump: 'set', k: 0xc000003e, no: 'end' },
    { and: -1 >>> 0 },
    { label: 'end' },
    { return: 0x7fff0000 },
  ])
  expect(Buffer.from(encodeProgram(program)).toString('hex').match(/.{16}/g)).toEqual([
    '2000000004000000', // ld [4]
    '450000013e0000c0', // jset
    '54000000ffffffff', // and
    '060000000000ff7f', // ret ALLOW
  ])
})
