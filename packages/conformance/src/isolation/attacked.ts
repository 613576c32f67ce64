import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { OnViolation } from '@confine-sandbox/contract'
import type { Attack, AttackTarget } from '../attack.ts'
import { type AttackRange, openAttackRange } from '../attack-range.ts'
import { attacks as allAttacks } from '../attacks.ts'
import { defaultPatienceMs, show, type TestFramework, within } from '../suite.ts'
import type { IsolationSubject } from './subject.ts'

/** Each attack as a pair: it works without isolation, and fails within it. */
export function testAttacked(
  subject: IsolationSubject,
  createSandbox: NonNullable<IsolationSubject['createSandbox']>,
  { describe, it }: TestFramework,
): void {
  const { attacks = allAttacks, patienceMs = defaultPatienceMs, signal, withoutNetwork = defaultWithoutNetwork() } = subject
  for (const attack of attacks) {
    if (attack.isAimedOutside && withoutNetwork === undefined) continue
    describe(`a guest that tries to ${attack.act}`, () => {
      it('gets it without isolation', () =>
        withTarget(async ({ target }) => {
          const got = await control(attack, target, withoutNetwork)
          assert.ok(got !== undefined && got !== null, 'The control got nothing: the refusal would prove nothing')
        }))

      for (const onViolation of ['kill', 'deny'] as const) {
        it(`does not get it in a sandbox where onViolation is '${onViolation}'`, () =>
          withTarget((range) => within(patienceMs, 'the attack', attempt(attack, onViolation, range, createSandbox, signal))))
      }
    })
  }
}

async function attempt(
  { source }: Attack,
  onViolation: OnViolation,
  { target, traces }: AttackRange,
  createSandbox: NonNullable<IsolationSubject['createSandbox']>,
  signal: string | undefined,
): Promise<void> {
  const sandbox = createSandbox({ onViolation })
  const violations: string[] = []
  sandbox.on('violation', ({ syscall }) => violations.push(syscall))
  try {
    const container = await sandbox.execContainer({ source: `${source}; exports.isAlive = () => true` })
    const { outcome, value } = await container.call('attempt', [target]).then(
      (value: unknown) => ({ outcome: 'worked', value }),
      (error: unknown) => ({ outcome: 'failed', value: error }),
    )
    assert.equal(outcome, 'failed', `The guest got through: ${show(value)}`)
    assert.deepEqual(traces(), [], 'The call failed, and the host was touched all the same')
    if (onViolation === 'deny') {
      assert.equal(await container.call('isAlive'), true, "The guest should live on where onViolation is 'deny'")
    } else if (signal !== undefined) {
      await sandbox.whenGuestProcessClosed
      assert.equal(sandbox.guestExitSignal, signal, `The guest should have been ended by ${signal}`)
      assert.equal(
        violations.length,
        1,
        `One violation should have been reported; there were ${violations.length}: ${violations.join(', ')}`,
      )
    }
  } finally {
    await sandbox.teardown()
  }
}

/** Runs an attack in a plain node. */
async function control(attack: Attack, target: AttackTarget, withoutNetwork: IsolationSubject['withoutNetwork']): Promise<unknown> {
  const plain: readonly [string, ...string[]] = [process.execPath, '-e', controlProgram, attack.source, JSON.stringify(target)]
  const [file, ...args] = attack.isAimedOutside && withoutNetwork !== undefined ? withoutNetwork(plain) : plain
  const { stdout } = await promisify(execFile)(file, args)
  const outcome = JSON.parse(stdout) as { got?: unknown; error?: string }
  assert.equal(outcome.error, undefined, `The control failed, so the refusal would prove nothing: ${outcome.error}`)
  return outcome.got
}

const controlProgram = `
  const [source, target] = process.argv.slice(1)
  const exports = {}
  new Function('exports', 'require', source)(exports, require)
  new Promise((resolve) => resolve(exports.attempt(JSON.parse(target)))).then((got) => ({ got }), (error) => ({ error: String(error) })).then((outcome) => {
    console.log(JSON.stringify(outcome))
    process.exit()
  })`

function defaultWithoutNetwork(): IsolationSubject['withoutNetwork'] {
  if (process.platform !== 'linux') return undefined
  return (line) => ['unshare', process.getuid?.() === 0 ? '-n' : '-rn', ...line]
}

async function withTarget(test: (range: AttackRange) => Promise<void>): Promise<void> {
  await using range = await openAttackRange()
  await test(range)
}
