import { encodeProgram } from './bpf.ts'
import { auditArchitectures, compileFilter } from './filter.ts'
import { type Answer, errorNumbers } from './rule.ts'
import { type Architecture, syscallNumber } from './syscall-numbers.ts'
import { defaultRule, type FilterPolicy, harmlessPaths, syscallRules } from './syscall-rules.ts'

/**
 * What the launcher reads from its control socket: the filter, the answers of the supervisor, and the harmless paths.
 * Little-endian; native/plan.c reads it.
 */
export function encodePlan(policy: FilterPolicy, architecture: Architecture): Uint8Array {
  const program = encodeProgram(compileFilter(policy, architecture))
  const rules = encodeRules(policy, architecture)
  const paths = new TextEncoder().encode(`${harmlessPaths.map((path) => `${path}\0`).join('')}\0`)

  const header = new DataView(new ArrayBuffer(headerBytes))
  header.setUint32(0, magic, true)
  header.setUint32(4, auditArchitectures[architecture], true)
  header.setUint32(8, program.length / 8, true)
  header.setUint32(12, rules.length / ruleBytes, true)
  header.setUint32(16, paths.length, true)
  return concatenate([new Uint8Array(header.buffer), program, rules, paths])
}

/** `CNF1` */
const magic = 0x31464e43
const headerBytes = 20

/** The answers of each number, in order; the last rule is for every other number. */
function encodeRules(policy: FilterPolicy, architecture: Architecture): Uint8Array {
  const numbered: { number: number; answer: Answer }[] = []
  for (const [name, rule] of syscallRules(policy, architecture)) {
    const number = syscallNumber(name, architecture)
    if (number === undefined || rule.action !== 'ask') continue
    for (const answer of rule.answers) numbered.push({ number, answer })
  }
  numbered.sort((a, b) => a.number - b.number)
  if (defaultRule.action === 'ask') for (const answer of defaultRule.answers) numbered.push({ number: anyNumber, answer })
  return concatenate(numbered.map(({ number, answer }) => encodeRule(number, answer)))
}

const anyNumber = 0xffff
const ruleBytes = 16

/** struct rule in native/launch.h */
function encodeRule(number: number, answer: Answer): Uint8Array {
  const rule = new DataView(new ArrayBuffer(ruleBytes))
  rule.setUint16(0, number, true)
  rule.setUint8(2, (answer.isViolation ? flags.violation : 0) | (answer.locks ? flags.locks : 0) | (answer.harmlessError ? flags.looks : 0))
  rule.setUint8(3, answer.path ?? none)
  rule.setUint16(4, errorNumbers[answer.error], true)
  rule.setUint16(6, errorNumbers[answer.harmlessError ?? 'ENOENT'], true)
  rule.setUint32(8, answer.when?.value ?? 0, true)
  rule.setUint8(12, answer.when?.argument ?? none)
  return new Uint8Array(rule.buffer)
}

const flags = { violation: 1, locks: 2, looks: 4 }
const none = 0xff

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
