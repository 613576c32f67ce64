import { type Command, ConfineError, defaultPolicy, policyParts } from '@confine-sandbox/contract'
import { expect, test } from 'vitest'
import { linux } from '../src/linux.ts'
import type { Machine } from '../src/machine.ts'
import { encodePlan } from '../src/plan.ts'
import type { Finding, ProbeReport } from '../src/probe/report.ts'
import { locked, run } from './support/launch.ts'

/** A machine on which everything is in its place. */
const machine: Machine = { platform: 'linux', architecture: 'x64', isExecutable: () => true, probe: () => report({}) }

/** What a probe of a machine says on which everything works, changed. */
function report(changes: Partial<ProbeReport>): ProbeReport {
  const nothing = { findings: [], blockers: [], surroundings: [], reason: '', durationMs: 0 }
  return {
    ...{ platform: 'linux', architecture: 'x64', kernel: '6.8.0', libc: { name: 'glibc' }, uid: 1000, landlockAbi: 7, tier: 'full' },
    ...nothing,
    ...changes,
  }
}

const noUserNamespaces: Finding = {
  id: 'user-namespaces',
  what: 'user namespaces',
  status: 'missing',
  detail: 'AppArmor forbids them.',
  cause: 'apparmor-userns',
  remedy: 'Write a profile.',
}
const command: Command = { file: '/usr/bin/node', args: ['-e', '0'], env: { HOME: '/' } }
const thrown = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return error as ConfineError
  }
  throw new Error('nothing was thrown')
}

test('wraps a command', () => {
  const backend = linux({ machine, launcher: '/opt/confine-launch' })
  const confined = backend.confine(command, defaultPolicy)
  expect(confined).toMatchObject({ file: '/opt/confine-launch', env: { HOME: '/' }, cwd: '/' })
  expect(confined.args.slice(-4)).toEqual(['--', '/usr/bin/node', '-e', '0'])
  expect(confined.descriptors).toHaveLength(1)
  expect(confined.descriptors[0]?.send).toEqual(encodePlan(defaultPolicy, 'x64'))
})

test('gives each launch a reader of its own', () => {
  const [descriptor] = linux({ machine }).confine(command, defaultPolicy).descriptors
  const [one, other] = [descriptor?.read(), descriptor?.read()]
  expect(one?.(Buffer.from('{"type":"lo'))).toEqual([])
  expect(other?.(Buffer.from('cked"}\n'))).toEqual([])
  expect(one?.(Buffer.from('cked"}\n'))).toEqual([{ type: 'locked' }])
})

test('confines for the architecture of the machine and for the threads of the policy', () => {
  const plan = (architecture: string, threads: boolean) =>
    linux({ machine: { ...machine, architecture } }).confine(command, { ...defaultPolicy, threads }).descriptors[0]?.send
  expect(plan('arm64', true)).toEqual(encodePlan({ threads: true }, 'arm64'))
  expect(plan('arm64', false)).toEqual(encodePlan({ threads: false }, 'arm64'))
})

test('has the launcher of its package as the default', () => {
  expect(linux({ machine: { ...machine, architecture: 'arm64' } }).confine(command, defaultPolicy).file).toMatch(
    /\/isolation-linux\/prebuilds\/linux-arm64\/confine-launch$/,
  )
})

test('holds every part of a policy when nothing is missing', () => {
  const assessment = linux({ machine }).assess(defaultPolicy)
  expect(assessment).toMatchObject({ backend: 'linux', missing: [] })
  for (const part of policyParts) {
    expect(assessment.parts[part].hold).toBe('exact')
    expect(assessment.parts[part].by.length).toBeGreaterThan(0)
  }
})

test.each<[string, Partial<Machine>, RegExp]>([
  ['platform', { platform: 'darwin' }, /Linux only, and this is darwin\. Use the backend/],
  ['architecture', { architecture: 'riscv64' }, /built for riscv64\. Run a node/],
  ['launcher', { isExecutable: () => false }, /no launcher .* at \/opt\/launch\. Install/],
])('refuses a machine without its %s', (layer, lacks, message) => {
  const backend = linux({ machine: { ...machine, ...lacks }, launcher: '/opt/launch' })
  expect(backend.assess(defaultPolicy).missing).toMatchObject([{ layer, reason: expect.any(String), remedy: expect.any(String) }])
  expect(Object.values(backend.assess(defaultPolicy).parts).every(({ hold }) => hold === 'none')).toBe(true)
  const error = thrown(() => backend.confine(command, defaultPolicy))
  expect(ConfineError.is(error)).toBe(true)
  expect(error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
  expect(error.message).toMatch(message)
})

test('launches where namespaces are missing, and says what and how to have it', () => {
  const bare = report({ tier: 'landlock-seccomp', landlockAbi: 6, findings: [noUserNamespaces], blockers: ['user-namespaces'] })
  const backend = linux({ machine: { ...machine, probe: () => bare } })
  expect(backend.confine(command, defaultPolicy).args.length).toBeGreaterThan(0)
  expect(backend.assess(defaultPolicy)).toMatchObject({
    missing: [{ layer: 'user-ns', reason: 'user namespaces: AppArmor forbids them.', remedy: 'Write a profile.' }],
    parts: {
      files: { hold: 'exact', by: ['landlock-6', 'seccomp-notify'] },
      network: { hold: 'exact', by: ['no-new-descriptors', 'seccomp-notify'] },
      processes: { hold: 'exact', by: ['seccomp-notify', 'landlock-6'] },
    },
  })
})

test('names a Landlock that is missing, and one that is too old for what has nothing else', () => {
  const landlock: Finding = {
    ...{ id: 'landlock', what: 'Landlock', status: 'missing', detail: 'ENOSYS.', cause: 'kernel-version' },
    remedy: 'Use Linux 5.13 or newer.',
  }
  const missing = (changes: Partial<ProbeReport>) =>
    linux({ machine: { ...machine, probe: () => report(changes) } })
      .assess(defaultPolicy)
      .missing.map(({ layer, remedy }) => [layer, remedy])
  expect(missing({ landlockAbi: 0, findings: [landlock] })).toEqual([['landlock', 'Use Linux 5.13 or newer.']])
  expect(missing({ landlockAbi: 4, tier: 'landlock-seccomp', findings: [{ ...landlock, status: 'works' }] })).toEqual([
    ['landlock-6', 'Use Linux 6.12 or newer.'],
  ])
  expect(missing({ landlockAbi: 4, findings: [{ ...landlock, status: 'works' }] })).toEqual([])
})

test('what is assessed is what a launch then reports, on this machine', async () => {
  const { parts, missing } = linux().assess(defaultPolicy)
  const ready = (await run(locked(''))).events.find((event) => event.type === 'ready')
  expect(missing).toEqual([])
  for (const part of policyParts) expect(parts[part].by).toEqual(ready?.walls?.[part])
})

test('asks the machine once, and not before it has to', () => {
  let asked = 0
  const isExecutable = () => asked++ === 0
  const backend = linux({ machine: { ...machine, isExecutable } })
  expect(asked).toBe(0)
  backend.assess(defaultPolicy)
  backend.confine(command, defaultPolicy)
  expect(asked).toBe(1)
})
