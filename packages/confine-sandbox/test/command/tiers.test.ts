import { describe, expect, test } from 'vitest'
import { program, type User, users } from '../../../isolation-linux/test/support/launch.ts'
import { spawnConfine } from './support.ts'

// On machines that lack what the stronger tiers are made of, doctor and attack say what is so.

const without = program('without')
const under = (as: User, lacks: string) => [
  ...(lacks === '' ? [] : [without, lacks, '--']),
  ...(as === 'nobody' ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []),
]

const machines: readonly { lacks: string; as: User; tier: string; code: number }[] = [
  { lacks: '', as: 'root', tier: 'full', code: 0 },
  { lacks: '', as: 'nobody', tier: 'full', code: 0 },
  { lacks: 'user-namespaces', as: 'root', tier: 'no-user-namespaces-root', code: 3 },
  { lacks: 'namespaces', as: 'root', tier: 'landlock-seccomp', code: 4 },
  { lacks: 'namespaces', as: 'nobody', tier: 'landlock-seccomp', code: 4 },
]

describe.concurrent.each(machines.filter(({ as }) => users.some((user) => user === as)))(
  'as $as, without "$lacks"',
  ({ lacks, as, tier, code }) => {
    test(`doctor says ${tier} and exits with ${code}`, async () => {
      const ended = await spawnConfine(['doctor', '--json'], under(as, lacks), '/')
      const diagnosis = JSON.parse(ended.out) as { tier: string; missing: { remedy: string }[]; starts: { ok: boolean }[] }
      expect(diagnosis).toMatchObject({ tier, probe: { tier } })
      expect(diagnosis.starts.map(({ ok }) => ok)).toEqual([true, true])
      expect(diagnosis.missing.length > 0).toBe(code !== 0)
      for (const { remedy } of diagnosis.missing) expect(remedy).not.toBe('')
      expect(ended.code).toBe(code)
    })

    test('attack finds that nothing gets through, and knows the tier', async () => {
      const only = ['connect-unix-socket', 'signal-process'].flatMap((id) => ['--only', id])
      const ended = await spawnConfine(['attack', '--json', ...only], under(as, lacks), '/')
      const { outcomes, ...rest } = JSON.parse(ended.out) as { tier: string; outcomes: { outcome: string }[] }
      expect(rest).toEqual({ tier })
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['held', 'held'])
      expect(ended.code).toBe(0)
      if (code === 0) return
      const least = await spawnConfine(['attack', '--json', '--tier', 'full', '--only', 'spawn'], under(as, lacks), '/')
      expect(least.code).toBe(code)
    })
  },
)

/** What else may be missing, and what doctor then says to root and to others. */
const shortages: readonly { lacks: string; root: string; others: string }[] = [
  { lacks: 'user-namespaces', root: 'no-user-namespaces-root', others: 'landlock-seccomp' },
  { lacks: 'mount', root: 'landlock-seccomp', others: 'landlock-seccomp' },
  { lacks: 'new-mount-api', root: 'landlock-seccomp', others: 'landlock-seccomp' },
  { lacks: 'landlock', root: 'full', others: 'full' },
  { lacks: 'user-namespaces,landlock', root: 'no-user-namespaces-root', others: 'none' },
  { lacks: 'seccomp', root: 'none', others: 'none' },
  { lacks: 'seccomp-notify', root: 'none', others: 'none' },
  { lacks: 'pidfd', root: 'none', others: 'none' },
  { lacks: 'close-range', root: 'none', others: 'none' },
  { lacks: 'process-memory', root: 'none', others: 'none' },
]
const codes: Readonly<Record<string, number>> = { full: 0, 'no-user-namespaces-root': 3, 'landlock-seccomp': 4, none: 5 }

describe.concurrent.each(users)('as %s', (as) => {
  test.each(shortages)('without "$lacks" doctor names the tier, sees what starts, and says what to do', async ({ lacks, root, others }) => {
    const tier = as === 'root' ? root : others
    const ended = await spawnConfine(['doctor', '--json'], under(as, lacks), '/')
    const { starts, missing, ...diagnosis } = JSON.parse(ended.out) as {
      tier: string
      missing: { remedy: string }[]
      starts: { ok: boolean; error?: { code: string } }[]
    }
    expect(diagnosis).toMatchObject({ tier, probe: { tier } })
    expect(starts.map(({ ok, error }) => error?.code ?? ok)).toEqual(new Array(2).fill(tier === 'none' ? 'ERR_CONFINE_SETUP_FAILED' : true))
    expect(missing).not.toEqual([])
    for (const { remedy } of missing) expect(remedy).not.toBe('')
    expect(ended.code).toBe(codes[tier])
  })
})

test.each(users)('as %s, where the default bar is not reached, doctor says that no guest starts, and what to do', async (as) => {
  const text = await spawnConfine(['doctor'], under(as, 'namespaces,landlock'), '/')
  expect(text.code).toBe(5)
  expect(text.out).toMatch(/does not start[\s\S]*for more[\s\S]*→ /)
  const attacked = await spawnConfine(['attack', '--json'], under(as, 'namespaces,landlock'), '/')
  expect(attacked.code).toBe(125)
  expect(JSON.parse(attacked.out)).toMatchObject({ error: { code: 'ERR_CONFINE_SETUP_FAILED' } })
})
