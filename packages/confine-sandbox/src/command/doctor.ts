import { defaultPolicy, type PolicyPart, policyParts, type Walls } from '@confine-sandbox/contract'
import { ConfineError, defaultIsolation, type IsolationBackend, probe, type ProbeReport, Sandbox } from '../index.ts'
import type { ConfineCommand } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { paint, progress, table, type Terminal, wrap, writeJson, writeLine } from './terminal.ts'

/** `confine doctor`: what this machine can hold. */
export const doctor: ConfineCommand = {
  name: 'doctor',
  summary: 'say what this machine can hold a guest with, what is missing, and what to do about it',
  operands: '',
  options: {},
  examples: [
    ['confine doctor', 'for people'],
    ['confine doctor --json', 'for scripts: { tier, reason, starts, missing, probe }'],
    ['confine doctor >/dev/null || echo weak', 'by exit code'],
  ],
  exits: [
    ['0', 'the strongest isolation: tier full on Linux, Seatbelt on macOS'],
    [String(exitCodes.tierRoot), 'tier no-user-namespaces-root: guests start'],
    [String(exitCodes.tierWithoutNamespaces), 'tier landlock-seccomp: guests start'],
    [String(exitCodes.tierNone), 'no guest starts with the default options'],
  ],
  async run(_operands, values, terminal) {
    const diagnosis = await diagnose(terminal)
    if (values.json === true) writeJson(terminal.out, diagnosis)
    else print(diagnosis, terminal)
    return exitCodeOf(diagnosis)
  },
}

/** What the doctor found. */
interface Diagnosis {
  readonly platform: string
  readonly node: string
  /** The tier that a guest was started in, else the one that the probe expects. */
  readonly tier: string
  readonly reason: string
  /** What starting a guest came to, for each runtime that comes along. */
  readonly starts: readonly Start[]
  /** What holds each part of a policy, each by itself. */
  readonly walls: Walls | undefined
  readonly missing: readonly { readonly what: string; readonly remedy: string }[]
  /** Everything that was tried. Undefined where there is no backend. */
  readonly probe: ProbeReport | undefined
}

interface Start {
  readonly runtime: string
  readonly ok: boolean
  readonly tier?: string
  readonly walls?: Walls
  readonly error?: { readonly code: string; readonly message: string }
}

async function diagnose({ err }: Terminal): Promise<Diagnosis> {
  const steps = progress(err, 'looking', runtimes.length + 1)
  steps.step('at the machine')
  const report = hasBackend() ? await probe() : undefined
  const starts: Start[] = []
  for (const runtime of runtimes) {
    steps.step(`at a guest with ${runtime}`)
    starts.push(await start(runtime))
  }
  steps.end()
  const first = starts.find(({ ok }) => ok)
  const assessment = backend()?.assess(defaultPolicy)
  return {
    platform:
      report === undefined
        ? process.platform
        : `${systems[report.platform]} ${report.kernel}, ${report.architecture}, uid ${report.uid}${around(report)}`,
    node: process.version,
    tier: first?.tier ?? report?.tier ?? (first === undefined ? 'none' : 'seatbelt'),
    reason: report?.reason ?? assessment?.missing.map(({ reason }) => reason).join(' ') ?? '',
    starts,
    walls: first?.walls,
    missing: (assessment?.missing ?? []).map(({ layer, reason, remedy }) => ({ what: `${layer}: ${reason}`, remedy })),
    probe: report,
  }
}

const systems: Readonly<Record<string, string>> = { linux: 'Linux', darwin: 'macOS, Darwin' }

function hasBackend(): boolean {
  return process.platform in systems
}

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']

function backend(): IsolationBackend | undefined {
  try {
    return defaultIsolation()
  } catch {
    return undefined
  }
}

/** A guest that computes says more than any probe. */
async function start(runtime: string): Promise<Start> {
  try {
    await using sbx = new Sandbox({ runtime })
    const container = await sbx.execContainer({ source: 'exports.addOne = (num) => num + 1' })
    if ((await container.call('addOne', [5])) !== 6) throw new ConfineError('ERR_CONFINE_PROTOCOL', 'The guest cannot add')
    const { tier, walls } = sbx.isolation
    return { runtime, ok: true, ...(tier === undefined ? {} : { tier: tier.name }), ...(walls === undefined ? {} : { walls }) }
  } catch (error) {
    if (!ConfineError.is(error)) throw error
    return { runtime, ok: false, error: { code: error.code, message: error.message } }
  }
}

function around({ surroundings }: ProbeReport): string {
  return surroundings.length === 0 ? '' : `, in ${surroundings.map(({ kind }) => kind).join(', ')}`
}

function exitCodeOf({ tier, starts }: Diagnosis): number {
  if (!starts.some(({ ok }) => ok)) return exitCodes.tierNone
  return exitCodeOfTier(tier)
}

/** The exit code that stands for a tier, which is one of the names in `ProbeReport.tier`. */
export function exitCodeOfTier(tier: string): number {
  const codes: Record<string, number> = {
    'no-user-namespaces-root': exitCodes.tierRoot,
    'landlock-seccomp': exitCodes.tierWithoutNamespaces,
    none: exitCodes.tierNone,
  }
  return codes[tier] ?? exitCodes.ok
}

function print({ platform, node, tier, reason, starts, walls, missing, probe: report }: Diagnosis, { out }: Terminal): void {
  const line = (text = '') => writeLine(out, text)
  const sign = (isGood: boolean) => (isGood ? paint(out, 'green', '✓') : paint(out, 'red', '✗'))
  line(`${paint(out, 'bold', 'machine')}  ${platform}, Node ${node.slice(1)}`)
  line(`${paint(out, 'bold', 'tier')}     ${paint(out, exitCodeOfTier(tier) === exitCodes.ok ? 'green' : 'yellow', tier)}`)
  for (const text of wrap(reason, 110)) line(`         ${text}`)
  line()
  for (const { runtime, ok, error } of starts) {
    line(`${sign(ok)} a guest with ${runtime} ${ok ? 'starts and answers' : 'does not start'}`)
    for (const text of error === undefined ? [] : wrap(error.message, 110)) line(`    ${text}`)
  }
  if (walls !== undefined) {
    line()
    const row = (part: PolicyPart) => [`${sign(walls[part].length > 0)} ${part}`, walls[part].join(', ') || 'nothing']
    for (const text of table(policyParts.map(row), '   ')) line(text)
  }
  const lacking = report?.findings.filter(({ status, consequence }) => status !== 'works' && consequence !== undefined) ?? []
  if (lacking.length > 0) {
    line()
    line(paint(out, 'bold', 'not here'))
    for (const { what, detail, consequence } of lacking)
      for (const text of wrap(`${what}: ${detail} ${consequence ?? ''}`, 110)) line(`  ${text}`)
  }
  if (missing.length === 0) return
  line()
  line(paint(out, 'bold', 'for more'))
  for (const { what, remedy } of missing) {
    for (const text of wrap(what, 110)) line(`  ${text}`)
    for (const text of wrap(`→ ${remedy}`, 108)) line(`    ${text}`)
  }
}
