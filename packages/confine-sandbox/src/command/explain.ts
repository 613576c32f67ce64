import { defaultPolicy, type MissingLayer, type Policy, type PolicyPart, policyParts } from '@confine-sandbox/contract'
import { type Architecture, syscallSummary, type SyscallSummary } from '@confine-sandbox/isolation-linux'
import { ConfineError, type Limits, Sandbox, type SandboxConstructorOpts } from '../index.ts'
import { type ConfineCommand, UsageError } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { limitNote } from './limit-notes.ts'
import { readPolicyFile, readSandboxOptions } from './sandbox-options.ts'
import { type ActVerdict, seatbeltActs } from './seatbelt-acts.ts'
import { paint, table, type Terminal, wrap, writeJson, writeLine } from './terminal.ts'

/** `confine explain`: what a policy means on this machine. */
export const explain: ConfineCommand = {
  name: 'explain',
  summary: 'say what a policy means on this machine: what it allows, and what holds each part of it',
  operands: '<policy.json>',
  options: {},
  examples: [
    ['confine explain policy.json', 'where policy.json holds { "policy": { "read": ["./data"] }, "limits": { "memoryMiB": 64 } }'],
    ['confine explain --json policy.json', 'the same as data, with every system call'],
  ],
  exits: [
    ['0', 'this machine holds it: a guest was started with it'],
    ['1', 'it does not; the problems say why'],
  ],
  async run([file, ...rest], values, terminal) {
    if (file === undefined || rest.length > 0) throw new UsageError('Name one policy file: confine explain policy.json')
    readPolicyFile(file)
    const explanation = await explainPolicy(readSandboxOptions({ policy: file }))
    if (values.json === true) writeJson(terminal.out, explanation)
    else print(explanation, terminal)
    return explanation.problems.length === 0 ? exitCodes.ok : exitCodes.failed
  },
}

/** A policy, and how this machine holds it. */
interface Explanation {
  readonly runtime: string
  readonly backend: string
  readonly tier: string | undefined
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly scratchMiB: number
  readonly hardened: boolean
  readonly onViolation: string
  readonly maxContainers: number
  readonly parts: readonly PartHeld[]
  readonly limits: readonly { readonly name: string; readonly value: number | 'none'; readonly by: string }[]
  /** Linux: every system call. */
  readonly syscalls: SyscallSummary | undefined
  /** macOS: what the profile answers to some acts. */
  readonly acts: readonly ActVerdict[] | undefined
  readonly missing: readonly MissingLayer[]
  /** Why the policy cannot be held here. Empty: it is. */
  readonly problems: readonly string[]
}

interface PartHeld {
  readonly part: PolicyPart
  /** The layers that hold it, each by itself; on macOS, in words. */
  readonly by: readonly string[]
  /** How many of them `minIsolation` asks for. */
  readonly wanted: number
}

async function explainPolicy(options: SandboxConstructorOpts): Promise<Explanation> {
  await using sbx = new Sandbox(options)
  const { runtime, isolation, limits, policy, onViolation, minIsolation, maxContainers } = sbx.opts
  const asked: Policy = {
    ...defaultPolicy,
    ...{ bootRead: runtime.directories, bootLinks: runtime.links, read: policy.read, write: policy.write },
    ...{ scratchMiB: policy.scratchMiB, jit: !policy.hardened, threads: runtime.threads, onViolation, limits },
  }
  const assessment = isolation?.assess(asked)
  const problems: string[] = []
  try {
    // An empty guest: what it takes is seen by starting it, and what holds it is what stands.
    await sbx.init()
  } catch (error) {
    if (!ConfineError.is(error)) throw error
    problems.push(error.message)
  }
  const { backend, tier, walls } = sbx.isolation
  return {
    ...{ runtime: runtime.name, backend, tier: tier?.name, ...policy, onViolation, maxContainers: maxContainers ?? runtime.maxContainers },
    parts: policyParts.map((part) => ({ part, by: walls?.[part] ?? assessment?.parts[part].by ?? [], wanted: minIsolation[part] })),
    limits: limitNames.map((name) => ({ name, value: limits[name] ?? 'none', by: limitNote(backend, name) })),
    syscalls: backend === 'linux' ? syscallSummary(asked, process.arch as Architecture) : undefined,
    acts:
      backend === 'macos' && problems.length === 0
        ? seatbeltActs(isolation?.confine({ file: process.execPath, args: [], env: {} }, asked))
        : undefined,
    missing: assessment?.missing ?? [],
    problems,
  }
}

const limitNames: readonly (keyof Limits)[] = [
  'memoryMiB',
  'cpuSeconds',
  'lifeMs',
  'threads',
  'outputMiB',
  'outputMiBPerSecond',
  'fileSizeMiB',
  'openFiles',
  'nice',
]

function print(explanation: Explanation, { out }: Terminal): void {
  const { runtime, backend, tier, read, write, scratchMiB, hardened, onViolation, maxContainers, parts, limits, syscalls, acts } =
    explanation
  const section = (title: string, rows: readonly (readonly string[])[]) => {
    writeLine(out)
    writeLine(out, paint(out, 'bold', title))
    for (const row of table(rows, '   ')) writeLine(out, `  ${row}`)
  }
  writeLine(
    out,
    `${runtime}, up to ${maxContainers} container${maxContainers === 1 ? '' : 's'} a process, held by ${backend}${tier === undefined ? '' : `, tier ${tier}`}`,
  )
  section('The guest may', [
    ['compute', hardened ? 'without compiled code, without WebAssembly' : 'with V8’s compilers'],
    ['call', 'the functions in globals'],
    ...read.map((path) => ['read', path]),
    ...write.map((path) => ['read and write', path]),
    ...(scratchMiB > 0 ? [['read and write', `/tmp, of its own, ${scratchMiB} MiB, gone with it`]] : []),
    ['else nothing', onViolation === 'kill' ? 'the first forbidden act ends it with SIGSYS' : 'a forbidden act fails and is reported'],
  ])
  section(
    'Held by',
    parts.map(({ part, by, wanted }) => [part, by.join(', ') || 'nothing', by.length < wanted ? `${wanted} wanted` : '']),
  )
  section(
    'Limits',
    limits.map(({ name, value, by }) => [name, String(value), value === 'none' ? '' : by]),
  )
  if (syscalls !== undefined) {
    const { allowed, checked, refused, reported, killed } = syscalls
    section('System calls after the lock', [
      ['done', String(allowed.length), 'whatever the arguments'],
      ['checked', String(checked.length), checked.join(' ')],
      ['refused', String(refused.length), 'without a word: Node tries them by itself'],
      ['reported', `${reported.length} and all others`, onViolation === 'kill' ? 'and the end of the guest' : 'and refused'],
      ['killed', String(killed.length), 'the end of the guest at once'],
    ])
  }
  if (acts !== undefined)
    section(
      'The profile’s answers',
      acts.map(({ act, answer }) => [act, answer]),
    )
  if (explanation.missing.length > 0) {
    writeLine(out)
    writeLine(out, paint(out, 'bold', 'For more'))
    for (const { layer, reason, remedy } of explanation.missing)
      for (const line of wrap(`${layer}: ${reason} ${remedy}`, 110)) writeLine(out, `  ${line}`)
  }
  if (explanation.problems.length === 0) return
  writeLine(out)
  writeLine(out, paint(out, 'red', 'This machine does not hold it'))
  for (const problem of explanation.problems) for (const line of wrap(problem, 110)) writeLine(out, `  ${line}`)
}
