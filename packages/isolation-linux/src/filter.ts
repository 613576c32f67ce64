import { assemble, type Instruction, type Line } from './bpf.ts'
import { type Condition, errorNumbers, type Rule } from './rule.ts'
import { type Architecture, syscallNumber } from './syscall-numbers.ts'
import { type FilterPolicy, syscallRules } from './syscall-rules.ts'

/** What a filter returns. linux/seccomp.h */
export const actions = Object.freeze({
  kill: 0x80000000,
  /** The error number is or-ed to it. */
  fail: 0x00050000,
  notify: 0x7fc00000,
  allow: 0x7fff0000,
})

/** How seccomp names an architecture. linux/audit.h */
export const auditArchitectures: Readonly<Record<Architecture, number>> = Object.freeze({ x64: 0xc000003e, arm64: 0xc00000b7 })

/** Where `struct seccomp_data` keeps what a filter can read. Both architectures are little-endian: low word first. */
export const offsets = Object.freeze({
  number: 0,
  architecture: 4,
  low: (argument: number) => 16 + 8 * argument,
  high: (argument: number) => 20 + 8 * argument,
})

/**
 * The guest's one seccomp filter, in force from before exec to the end. What it does not decide itself it hands to the
 * supervisor.
 */
export function compileFilter(policy: FilterPolicy, architecture: Architecture): readonly Instruction[] {
  const rules = numbered(policy, architecture)
  return assemble([
    { load: offsets.architecture },
    { jump: 'eq', k: auditArchitectures[architecture], yes: 'native' },
    { return: actions.kill },
    { label: 'native' },
    { load: offsets.number },
    ...(architecture === 'x64' ? refuseX32 : []),
    ...rules.flatMap(({ number, rule }) => (rule.action === 'ask' ? inspect(number, rule) : [])),
    ...search(stretches(rules)),
    { label: 'notify' },
    { return: actions.notify },
    { label: 'allow' },
    { return: actions.allow },
    { label: 'kill' },
    { return: actions.kill },
    ...[...failures(rules)].flatMap((error) => [{ label: `fail ${error}` }, { return: actions.fail | errorNumbers[error] }]),
  ])
}

type NumberedRule = { readonly number: number; readonly rule: Rule }

function numbered(policy: FilterPolicy, architecture: Architecture): readonly NumberedRule[] {
  return [...syscallRules(policy, architecture)].flatMap(([name, rule]) => {
    const number = syscallNumber(name, architecture)
    return number === undefined ? [] : [{ number, rule }]
  })
}

/** The x32 calls are the x64 ones by other numbers: a filter that forgot them would be none. */
const refuseX32: readonly Line[] = [{ jump: 'ge', k: 0x40000000, no: 'not x32' }, { return: actions.kill }, { label: 'not x32' }]

/** A call whose arguments count. Each block returns, so the number stays loaded for the next one. */
function inspect(number: number, rule: Rule & { action: 'ask' }): readonly Line[] {
  const { passes = [], refuses } = rule
  if (passes.length === 0 && rule.killBits === undefined && refuses === undefined) return []
  const end = `after ${number}`
  return [
    { jump: 'eq', k: number, no: end },
    ...(rule.killBits === undefined
      ? []
      : ([
          { load: offsets.low(rule.killBits.argument) },
          { jump: 'set', k: rule.killBits.bits, no: `${number} lives` },
          { return: actions.kill },
          { label: `${number} lives` },
        ] as const)),
    ...(refuses === undefined
      ? []
      : [
          ...refuses.conditions.flatMap((condition, at) => check(condition, `${number} refuses ${at}`, `${number} considers`)),
          { return: actions.fail | errorNumbers[refuses.error] },
          { label: `${number} considers` },
        ]),
    ...passes.flatMap((conditions, index): Line[] => {
      const next = `${number} otherwise ${index}`
      return [
        ...conditions.flatMap((condition, at) => check(condition, `${number} ${index} ${at}`, next)),
        { return: actions.allow },
        { label: next },
      ]
    }),
    { return: actions.notify },
    { label: end },
  ]
}

function check(condition: Condition, name: string, otherwise: string): readonly Line[] {
  const { argument, width, mask, isOneOf } = condition
  const lines: Line[] = [{ load: offsets.low(argument) }]
  if (mask !== undefined) lines.push({ and: mask })
  for (const [index, value] of isOneOf.entries()) {
    const isLast = index === isOneOf.length - 1
    lines.push({ jump: 'eq', k: value, yes: name, ...(isLast ? { no: otherwise } : {}) })
  }
  lines.push({ label: name })
  if (width === 'long') lines.push({ load: offsets.high(argument) }, { jump: 'eq', k: 0, no: otherwise })
  return lines
}

/** Neighbouring numbers, from the first one up to the next stretch, that lead to the same label. */
type Stretch = { readonly first: number; readonly label: string }

/** What becomes of the calls whose number is enough, and of those that no rule names. */
function stretches(rules: readonly NumberedRule[]): readonly Stretch[] {
  const labels = new Map(rules.map(({ number, rule }) => [number, labelOf(rule)]))
  const numbers = [...labels.keys()].flatMap((number) => [number, number + 1])
  return [...new Set([0, ...numbers])]
    .sort((a, b) => a - b)
    .map((first) => ({ first, label: labels.get(first) ?? 'notify' }))
    .filter(({ label }, at, all) => label !== all[at - 1]?.label)
}

function labelOf(rule: Rule): string {
  if (rule.action === 'ask') return 'notify'
  return rule.action === 'fail' ? `fail ${rule.error}` : rule.action
}

/**
 * Halves the stretches until one is left. A list would do as well for the calls, but the kernel runs each new filter for each
 * number there is, to learn which ones it always allows: by a list that took a tenth of a millisecond of every start.
 */
function search(among: readonly Stretch[]): readonly Line[] {
  const [only] = among
  if (among.length < 2 || only === undefined) return []
  const middle = among.length >> 1
  const [below, above] = [among.slice(0, middle), among.slice(middle)]
  const k = (above[0] as Stretch).first
  return [
    { jump: 'ge', k, yes: entry(above), no: entry(below) },
    ...[below, above].flatMap((half) => (half.length < 2 ? [] : [{ label: entry(half) }, ...search(half)])),
  ]
}

function entry(among: readonly Stretch[]): string {
  const [first, ...more] = among as [Stretch, ...Stretch[]]
  return more.length === 0 ? first.label : `from ${first.first} to ${more.at(-1)?.first}`
}

function failures(rules: readonly NumberedRule[]) {
  return new Set(rules.flatMap(({ rule }) => (rule.action === 'fail' ? [rule.error] : [])))
}
