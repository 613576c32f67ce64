import { type Command, ConfineError, defaultPolicy, policyParts } from '@confine-sandbox/contract'
import { expect, test } from 'vitest'
import { linux } from '../src/linux.ts'
import type { Machine } from '../src/machine.ts'
import { encodePlan } from '../src/plan.ts'

/** A machine on which everything is in its place. */
const machine: Machine = { platform: 'linux', architecture: 'x64', isRoot: false, isExecutable: () => true, readSysctl: () => undefined }
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
  ['user-ns', { readSysctl: (path) => (path === 'user/max_user_namespaces' ? 0 : undefined) }, /max_user_namespaces is 0\. Run 'sysctl/],
  ['user-ns', { readSysctl: (path) => (path === 'kernel/unprivileged_userns_clone' ? 0 : undefined) }, /root only.*Run 'sysctl/],
])('refuses a machine without its %s', (layer, lacks, message) => {
  const backend = linux({ machine: { ...machine, ...lacks }, launcher: '/opt/launch' })
  expect(backend.assess(defaultPolicy).missing).toMatchObject([{ layer, reason: expect.any(String), remedy: expect.any(String) }])
  expect(Object.values(backend.assess(defaultPolicy).parts).every(({ hold }) => hold === 'none')).toBe(true)
  const error = thrown(() => backend.confine(command, defaultPolicy))
  expect(ConfineError.is(error)).toBe(true)
  expect(error.code).toBe('ERR_CONFINE_ISOLATION_UNAVAILABLE')
  expect(error.message).toMatch(message)
})

test('lets root launch where user namespaces are for root only', () => {
  const isRootOnly = (path: string) => (path === 'kernel/unprivileged_userns_clone' ? 0 : undefined)
  expect(linux({ machine: { ...machine, isRoot: true, readSysctl: isRootOnly } }).assess(defaultPolicy).missing).toEqual([])
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
