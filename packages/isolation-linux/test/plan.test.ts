import { describe, expect, test } from 'vitest'
import { encodeProgram } from '../src/bpf.ts'
import { auditArchitectures, compileFilter } from '../src/filter.ts'
import { encodePlan } from '../src/plan.ts'
import { type Architecture, syscallNumber } from '../src/syscall-numbers.ts'
import { harmlessPaths } from '../src/syscall-rules.ts'

describe.each<Architecture>(['x64', 'arm64'])('the plan for %s', (architecture) => {
  const bytes = encodePlan({ threads: false }, architecture)
  const plan = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const instructions = plan.readUInt32LE(8)
  const ruleCount = plan.readUInt32LE(12)
  const rulesAt = 20 + 8 * instructions
  const rules = Array.from({ length: ruleCount }, (_, index) => plan.subarray(rulesAt + 16 * index, rulesAt + 16 * (index + 1)))
  const rulesOf = (name: string) => rules.filter((rule) => rule.readUInt16LE(0) === syscallNumber(name, architecture))

  test('says what it is and for whom', () => {
    expect(plan.toString('latin1', 0, 4)).toBe('CNF1')
    expect(plan.readUInt32LE(4)).toBe(auditArchitectures[architecture])
    expect(plan.length).toBe(rulesAt + 16 * ruleCount + plan.readUInt32LE(16))
  })

  test('holds the filter', () => {
    expect(plan.subarray(20, rulesAt)).toEqual(Buffer.from(encodeProgram(compileFilter({ threads: false }, architecture))))
  })

  test('holds the rules by number, and last the one for the rest', () => {
    const numbers = rules.map((rule) => rule.readUInt16LE(0))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(rules.at(-1)?.toString('hex')).toBe(words('ffff01ff', '01000200', '00000000', 'ff000000'))
    expect(rules.every((rule) => rule.readUInt16LE(4) > 0)).toBe(true)
  })

  test('writes each field of a rule in its place', () => {
    const number = (name: string) =>
      syscallNumber(name, architecture)
        ?.toString(16)
        .padStart(4, '0')
        .replace(/(..)(..)/, '$2$1')
    // A violation that looks, path in argument 1, EACCES, harmless: ENOENT, for any argument.
    expect(rulesOf('openat').map((rule) => rule.toString('hex'))).toEqual([
      words(number('openat'), '0501', '0d000200', '00000000', 'ff000000'),
    ])
    // The same that may be the lock, path in argument 0.
    expect(rulesOf('statfs').map((rule) => rule.toString('hex'))).toEqual([
      words(number('statfs'), '0700', '0d000200', '00000000', 'ff000000'),
    ])
    expect(rulesOf('statx').map((rule) => rule.toString('hex'))).toEqual([
      words(number('statx'), '0501', '0d002600', '00000000', 'ff000000'),
    ])
    // AF_NETLINK in argument 0 is no violation.
    expect(rulesOf('socket').map((rule) => rule.toString('hex'))).toEqual([
      words(number('socket'), '00ff', '01000200', '10000000', '00000000'),
      words(number('socket'), '01ff', '01000200', '00000000', 'ff000000'),
    ])
  })

  test('holds the harmless paths, each with its end, and an empty one last', () => {
    const paths = plan.toString('utf8', rulesAt + 16 * ruleCount).split('\0')
    expect(paths).toEqual([...harmlessPaths, '', ''])
  })
})

function words(...parts: (string | undefined)[]): string {
  return parts.join('')
}
