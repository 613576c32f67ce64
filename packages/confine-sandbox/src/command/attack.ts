import { type Attack, type AttackRange, attacks, openAttackRange } from '@confine-sandbox/conformance'
import { ConfineError, Sandbox, type SandboxConstructorOpts } from '../index.ts'
import { type CommandOption, type ConfineCommand, UsageError } from './command.ts'
import { exitCodeOfTier } from './doctor.ts'
import { exitCodes } from './exit-codes.ts'
import { readSandboxOptions, sandboxOptions } from './sandbox-options.ts'
import { harmless, paint, progress, table, type Terminal, writeJson, writeLine } from './terminal.ts'

const options: Readonly<Record<string, CommandOption>> = {
  ...sandboxOptions,
  tier: { type: 'string', value: '<tier>', help: `the least tier to accept: ${tiers().join(', ')}` },
  only: { type: 'string', multiple: true, value: '<id>', help: 'run this attack only; may be repeated' },
  'no-sandbox': { type: 'boolean', help: 'the control: no isolation, so that the attacks get through' },
}

/** `confine attack`: the attack programs against one's own configuration. */
export const attack: ConfineCommand = {
  name: 'attack',
  summary: 'run attack programs against your own configuration; nothing may get through',
  operands: '',
  options,
  examples: [
    ['confine attack', 'the default configuration'],
    ['confine attack --policy policy.json --tier full', 'your own, and no weaker tier'],
    ['confine attack --runtime jsisolate --json', 'another runtime; { tier, outcomes: [{ id, act, outcome, how }] }'],
    ['confine attack --no-sandbox', 'the control: shows that the attacks work where nothing holds them'],
  ],
  exits: [
    ['0', 'nothing got through'],
    ['1', 'something did'],
    ['3, 4, 5', 'the tier is lower than --tier asks for, as doctor tells it'],
    ['125', 'the sandbox could not be set up; nothing ran'],
  ],
  async run(operands, values, terminal) {
    if (operands.length > 0) throw new UsageError(`confine attack takes no ${JSON.stringify(operands[0])}`)
    const noSandbox = values['no-sandbox'] === true
    const sandbox = { ...readSandboxOptions(values), noSandbox }
    const chosen = choose((values.only as string[] | undefined) ?? [], noSandbox)
    const leastTier = readTier(values.tier)
    const tier = noSandbox ? 'none' : await tierOf(sandbox)
    if (leastTier !== undefined && !tiers().includes(tier)) throw new UsageError(`--tier is for the tiers of Linux, and this is ${tier}`)
    if (leastTier !== undefined && tiers().indexOf(tier) > tiers().indexOf(leastTier))
      return tooWeak(tier, leastTier, values.json === true, terminal)

    await using range = await openAttackRange()
    const steps = progress(terminal.err, 'attack', chosen.length)
    const outcomes: Outcome[] = []
    // One after the other: damage is told by looking at the targets after each.
    for (const one of chosen) {
      steps.step(one.act)
      outcomes.push(await attempt(one, sandbox, range))
    }
    steps.end()
    if (values.json === true) writeJson(terminal.out, { tier, outcomes })
    else print(tier, outcomes, terminal)
    return outcomes.every(({ outcome }) => outcome === 'held') ? exitCodes.ok : exitCodes.failed
  },
}

/** What became of one attack. */
interface Outcome {
  readonly id: string
  readonly act: string
  readonly part: string
  /** `held`: refused, or the end of the guest. `through`: it worked, or its target was hit. `unclear`: neither was seen. */
  readonly outcome: 'held' | 'through' | 'unclear'
  /** In words. */
  readonly how: string
}

async function attempt({ id, act, part, source }: Attack, sandbox: SandboxConstructorOpts, range: AttackRange): Promise<Outcome> {
  const { outcome, how } = await tryIt(source, sandbox, range)
  const traces = range.traces()
  return traces.length === 0 ? { id, act, part, outcome, how } : { id, act, part, outcome: 'through', how: traces.join(', ') }
}

async function tryIt(source: string, sandbox: SandboxConstructorOpts, { target }: AttackRange): Promise<Pick<Outcome, 'outcome' | 'how'>> {
  const { timeoutMs } = attemptLimits
  await using sbx = new Sandbox({ ...sandbox, limits: { ...sandbox.limits, lifeMs: timeoutMs } })
  try {
    const container = await sbx.execContainer({ source, env: 'nodejs' })
    const got: unknown = await container.call('attempt', [target])
    return { outcome: 'through', how: `it got ${harmless(JSON.stringify(got) ?? 'nothing').slice(0, 60)}` }
  } catch (error) {
    if (!ConfineError.is(error)) throw error
    const { code, end, errorCode, message } = error
    if (end?.kind === 'violation') {
      const { violation } = end
      return { outcome: 'held', how: `${end.signal} for ${violation === undefined ? 'a forbidden call' : violation.syscall}` }
    }
    if (code === 'ERR_CONFINE_GUEST_THREW' || code === 'ERR_CONFINE_SOURCE_FAILED') {
      return { outcome: 'held', how: `refused: ${harmless(errorCode ?? message).slice(0, 60)}` }
    }
    // No answer proves nothing, unless the targets were not hit and the guest is gone: then it is said as it is.
    return { outcome: 'unclear', how: harmless(message).slice(0, 100) }
  }
}

/** An attack that waits for an answer which never comes. */
const attemptLimits = Object.freeze({ timeoutMs: 20_000 })

function choose(ids: readonly string[], noSandbox: boolean): readonly Attack[] {
  const unknown = ids.find((id) => !attacks.some((one) => one.id === id))
  if (unknown !== undefined)
    throw new UsageError(`There is no attack ${JSON.stringify(unknown)}; there are ${attacks.map(({ id }) => id).join(', ')}`)
  const chosen = ids.length === 0 ? attacks : attacks.filter(({ id }) => ids.includes(id))
  // Without isolation it would send.
  return noSandbox ? chosen.filter(({ isAimedOutside }) => isAimedOutside !== true) : chosen
}

/** The tiers of Linux, strongest first. */
function tiers(): readonly string[] {
  return ['full', 'no-user-namespaces-root', 'landlock-seccomp']
}

function readTier(given: unknown): string | undefined {
  if (given === undefined || (typeof given === 'string' && tiers().includes(given))) return given as string | undefined
  throw new UsageError(`--tier takes one of ${tiers().join(', ')}, not ${JSON.stringify(given)}`)
}

/** Of a guest that was started: what holds is what stands. The backend's name where it has one way only. */
async function tierOf(sandbox: SandboxConstructorOpts): Promise<string> {
  await using sbx = new Sandbox(sandbox)
  await sbx.init()
  return sbx.isolation.tier?.name ?? sbx.isolation.backend
}

function tooWeak(tier: string, wanted: string, isJson: boolean, { out, err }: Terminal): number {
  const message = `The tier is ${tier}, and ${wanted} is the least to accept. confine doctor says what is missing`
  if (isJson) writeJson(out, { tier, error: { code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE', message } })
  else writeLine(err, `${paint(err, 'red', 'confine:')} ${message}`)
  return exitCodeOfTier(tier)
}

function print(tier: string, outcomes: readonly Outcome[], { out }: Terminal): void {
  const say = { held: paint(out, 'green', 'held'), through: paint(out, 'red', 'GOT THROUGH'), unclear: paint(out, 'yellow', 'unclear') }
  writeLine(out, `tier ${tier}`)
  for (const row of table(outcomes.map(({ act, part, outcome, how }) => [say[outcome], part, act, how]))) writeLine(out, row)
  const through = outcomes.filter(({ outcome }) => outcome !== 'held').length
  writeLine(out, through === 0 ? `${outcomes.length} attacks, none got through` : `${through} of ${outcomes.length} attacks were not held`)
}
