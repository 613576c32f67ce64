import { ask, type AskingRule, long, quiet, type Rule } from './rule.ts'

/**
 * What changes in the table when the guest gets no memory that can be executed. The loader maps libraries before the lock,
 * which asks the supervisor as every mapping of a file does; everything else is refused by the kernel, from the first
 * instruction on. V8 takes no other answer than ENOMEM.
 */
export function executableMemoryRules(rules: ReadonlyMap<string, Rule>): ReadonlyMap<string, Rule> {
  const mmap = rules.get('mmap') as AskingRule
  return new Map<string, Rule>([
    ['mmap', { ...mmap, refuses: { conditions: [has(2, executable), has(3, anonymous)], error: 'ENOMEM' } }],
    ['mprotect', { ...ask(quiet('ENOMEM'), [long(2, { outside: 0x3 })]), refuses: { conditions: [has(2, executable)], error: 'ENOMEM' } }],
    ['pkey_mprotect', { action: 'fail', error: 'ENOMEM' }],
  ])
}

/** By the low word alone: what stands in the high one must not save a call from being refused. */
function has(argument: number, bits: number) {
  return { argument, width: 'int', mask: bits, isOneOf: [bits] } as const
}

/** PROT_EXEC */
const executable = 0x4
/** MAP_ANONYMOUS */
const anonymous = 0x20
