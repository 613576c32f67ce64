import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type AttackRange, attacks, openAttackRange } from '@confine-sandbox/conformance'
import type { Walls } from '@confine-sandbox/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program, type User, users } from '../../isolation-linux/test/support/launch.ts'

// The attacks on machines that lack what stronger tiers are made of. That each works without isolation is seen in
// denials.test.ts. A wrapper takes the primitives away from the host, the launcher and the guest alike.

const without = program('without')
const attempts = fileURLToPath(new URL('attempts.mjs', import.meta.url))
let range: AttackRange
beforeAll(async () => {
  range = await openAttackRange()
})
afterAll(async () => await range[Symbol.asyncDispose]())

const bare = { files: 1, network: 1, processes: 1 }
/** Where Landlock is taken away on top, some of the attacks say what all of them would. */
const some = ['read-file-async', 'connect-unix-socket', 'bind-udp', 'signal-process', 'spawn']
const machines: readonly { lacks: string; as: User; tier: string; minIsolation?: object; only?: readonly string[] }[] = [
  // As root with everything they are in denials.test.ts.
  { lacks: 'ptrace', as: 'nobody', tier: 'full' },
  { lacks: 'landlock', as: 'root', tier: 'full', only: some },
  { lacks: 'user-namespaces', as: 'root', tier: 'no-user-namespaces-root' },
  { lacks: 'user-namespaces,landlock', as: 'root', tier: 'no-user-namespaces-root', only: some },
  { lacks: 'namespaces', as: 'root', tier: 'landlock-seccomp' },
  { lacks: 'namespaces,landlock', as: 'root', tier: 'landlock-seccomp', minIsolation: bare, only: some },
  { lacks: 'namespaces', as: 'nobody', tier: 'landlock-seccomp' },
  { lacks: 'new-mount-api', as: 'root', tier: 'landlock-seccomp', only: some },
  { lacks: 'namespaces,landlock', as: 'nobody', tier: 'landlock-seccomp', minIsolation: bare, only: some },
]
const reached = machines.filter(({ as }) => users.some((user) => user === as))

describe.concurrent.each(reached)('launched by $as on a machine without $lacks', ({ lacks, as, tier, minIsolation, only }) => {
  test(`every attack ends the guest, in the tier ${tier}`, async () => {
    const outcomes = await attemptAll(as, lacks, { minIsolation }, only)
    expect(outcomes.map(({ id }) => id).sort()).toEqual([...(only ?? attacks.map(({ id }) => id))].sort())
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ tier, code: 'ERR_CONFINE_GUEST_ENDED', end: 'violation', signal: 'SIGSYS' })
    for (const { because } of outcomes) expect(because).toHaveLength(tiers.indexOf(tier))
    expect(range.traces()).toEqual([])
  })
})

describe('the bar', () => {
  const one = [attacks[0]?.id as string]

  test('of two walls is not reached without namespaces and Landlock: no source is sent, and what to do is said', async () => {
    for (const as of users) {
      const [outcome] = await attemptAll(as, 'namespaces,landlock', {}, one)
      expect(outcome).toMatchObject({ code: 'ERR_CONFINE_SETUP_FAILED' })
      expect(outcome?.message).toMatch(/does not hold files by 2 \(seccomp-notify\)/)
      expect(outcome?.message).toMatch(/user-ns[^:]*: .*seccomp.* landlock: .*minIsolation\.?$/s)
    }
  })

  test('can be lowered in writing, and raised', async () => {
    const as = users[0]
    expect(await attemptAll(as, 'namespaces,landlock', { minIsolation: { files: 1, processes: 1 } }, one)).toMatchObject([
      { end: 'violation', walls: { files: ['seccomp-notify'] } },
    ])
    expect(await attemptAll(as, 'namespaces', { minIsolation: { files: 3 } }, one)).toMatchObject([
      { code: 'ERR_CONFINE_SETUP_FAILED', message: expect.stringMatching(/files by 3 \(landlock-\d+, seccomp-notify\)/) as string },
    ])
  })

  test.each([
    ['seccomp-notify', /gVisor/],
    ['close-range', /descriptors/],
    ['pidfd', /pidfd/],
  ])('is no matter without %s: that fails by itself', async (lacks, remedy) => {
    for (const as of users) {
      const [outcome] = await attemptAll(
        as,
        lacks,
        { minIsolation: { files: 0, network: 0, processes: 0, privileges: 0, syscalls: 0 } },
        one,
      )
      expect(outcome).toMatchObject({ code: 'ERR_CONFINE_SETUP_FAILED', message: expect.stringMatching(remedy) as string })
    }
  })
})

const tiers = ['full', 'no-user-namespaces-root', 'landlock-seccomp']

interface Outcome {
  readonly id: string
  readonly code?: string
  readonly end?: string
  readonly message?: string
  readonly signal?: string
  readonly tier?: string
  readonly because?: readonly string[]
  readonly walls?: Walls
}

/** Runs the attacks in a host of its own, as somebody, on a machine that lacks something. */
async function attemptAll(as: User, lacks: string, options: object, only?: readonly string[]): Promise<readonly Outcome[]> {
  const argv = [
    ...[without, lacks, '--'],
    ...(as === 'nobody' ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []),
    ...[process.execPath, attempts, JSON.stringify(options), JSON.stringify(range.target)],
    ...(only === undefined ? [] : [JSON.stringify(only)]),
  ]
  const { stdout } = await promisify(execFile)(argv[0] as string, argv.slice(1), { maxBuffer: 1 << 22 })
  return JSON.parse(stdout) as Outcome[]
}
