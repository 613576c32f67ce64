import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Observations } from '../../src/probe/observations.ts'
import { type FindingId, findingIds } from '../../src/probe/report.ts'
import { reportOf } from '../../src/probe/report-of.ts'
import * as machines from './machines.ts'

const { machine, privileged } = machines

function finding(observations: Observations, id: FindingId) {
  return reportOf(observations).findings.find((one) => one.id === id)
}

function notWorking(observations: Observations) {
  return reportOf(observations)
    .findings.filter(({ status }) => status !== 'works')
    .map(({ id }) => id)
}

describe('a machine that has it all', () => {
  test('is of the full tier, for users and for root', () => {
    expect(reportOf(machine())).toMatchObject({ tier: 'full', blockers: [], landlockAbi: 7, surroundings: [] })
    expect(reportOf(machine({ uid: 0, files: privileged }))).toMatchObject({ tier: 'full', blockers: [] })
    expect(notWorking(machine())).toEqual(['cgroup-v2', 'cgroup-v1', 'strace'])
  })

  test('a finding tells in which world it was done', () => {
    expect(finding(machine(), 'mount-namespace')?.detail).toBe('It was done. In a user namespace.')
    expect(finding(machine({ uid: 0 }), 'mount-namespace')?.detail).toBe('It was done. In a user namespace and without one.')
    expect(finding(machine({ uid: 0, fails: { 'user/*': ['clone', 'EPERM'] } }), 'mount-namespace')?.detail).toBe(
      'It was done. Without a user namespace only, as root.',
    )
  })
})

describe.each([
  ['Docker, default profile', machines.dockerDefault, 'landlock-seccomp', ['docker'], 'seccomp-profile', /--security-opt seccomp=/],
  ['Kubernetes, restricted', machines.kubernetesRestricted, 'landlock-seccomp', ['kubernetes'], 'seccomp-profile', /seccompProfile/],
  [
    'Ubuntu 24.04',
    machines.ubuntu2404,
    'landlock-seccomp',
    [],
    'apparmor-userns',
    /confine-\{launch,probe\}" flags=\(unconfined\) \{ userns, \}/,
  ],
  [
    'Debian 10',
    machines.debian10,
    'none',
    [],
    'sysctl-unprivileged-userns-clone',
    /sysctl -w kernel\.unprivileged_userns_clone=1' as root,/,
  ],
  ['RHEL 7', machines.rhel7, 'none', [], 'sysctl-max-user-namespaces', /sysctl -w user\.max_user_namespaces=10000'/],
  ['RHEL 8, hardened', machines.rhel8Hardened, 'none', [], 'sysctl-max-user-namespaces', /sysctl -w user\.max_user_namespaces=10000'/],
  ['RHEL 9, hardened, root', machines.rhel9HardenedRoot, 'no-user-namespaces-root', [], 'sysctl-max-user-namespaces', /sysctl -w/],
  ['WSL 1', machines.wsl1, 'none', ['wsl1'], 'wsl1', /wsl --set-version/],
] as const)('%s', (_, observations, tier, surroundings, cause, remedy) => {
  test('the tier, its reason, and what blocks user namespaces', () => {
    const report = reportOf(observations)
    expect(report.tier).toBe(tier)
    expect(report.blockers).toContain('user-namespaces')
    expect(report.surroundings.map(({ kind }) => kind)).toEqual(surroundings)
    expect(finding(observations, 'user-namespaces')).toMatchObject({
      status: 'missing',
      cause,
      remedy: expect.stringMatching(remedy) as string,
    })
  })
})

test('WSL 2 has everything, with an older Landlock', () => {
  expect(reportOf(machines.wsl2)).toMatchObject({ tier: 'full', landlockAbi: 3, surroundings: [{ kind: 'wsl2', seenIn: 'uname' }] })
  expect(finding(machines.wsl2, 'landlock')?.consequence).toMatch(/TCP \(ABI 4.*abstract sockets/)
})

test('gVisor gives namespaces and no user notification', () => {
  expect(reportOf(machines.gvisor)).toMatchObject({ tier: 'none', reason: expect.stringMatching(/user notification/) as string })
  expect(finding(machines.gvisor, 'user-namespaces')?.status).toBe('works')
  expect(finding(machines.gvisor, 'seccomp-notify')).toMatchObject({ cause: 'gvisor', remedy: expect.stringMatching(/runc/) as string })
  expect(finding(machines.gvisor, 'landlock')?.cause).toBe('gvisor')
})

describe('what follows from what', () => {
  test('without user namespaces a user has no other namespaces: one blocker', () => {
    expect(reportOf(machines.kubernetesRestricted).blockers).toEqual(['user-namespaces'])
    expect(finding(machines.kubernetesRestricted, 'pid-namespace')).toMatchObject({
      status: 'missing',
      cause: 'follows',
      remedy: 'See user-namespaces.',
    })
    expect(finding(machines.kubernetesRestricted, 'open-tree')).toMatchObject({ status: 'unknown', cause: 'follows' })
  })

  test('root without user namespaces is blocked by them alone', () => {
    expect(reportOf(machines.rhel9HardenedRoot).blockers).toEqual(['user-namespaces'])
  })

  test('a profile that denies mount() blocks the mount namespace, and it the mount calls', () => {
    expect(reportOf(machines.kubernetesUnfiltered)).toMatchObject({ tier: 'landlock-seccomp', blockers: ['mount-namespace'] })
    expect(finding(machines.kubernetesUnfiltered, 'mount-namespace')).toMatchObject({
      cause: 'security-module',
      remedy: expect.stringMatching(/appArmorProfile/) as string,
    })
    expect(finding(machines.kubernetesUnfiltered, 'pivot-root')).toMatchObject({ status: 'unknown', remedy: 'See mount-namespace.' })
  })

  test('a kernel without the newer mount calls: each is missing, and pivot_root could not be tried', () => {
    const fails = {
      'user/pivot-root': ['fsopen', 'ENOSYS'],
      'new-tmpfs': ['fsopen', 'ENOSYS'],
      'user/new-tmpfs': ['fsopen', 'ENOSYS'],
    } as const
    const old = machine({ release: '5.1.0', fails })
    expect(finding(old, 'new-tmpfs')).toMatchObject({ status: 'missing', cause: 'kernel-version', remedy: 'Use Linux 5.2 or newer.' })
    expect(finding(old, 'pivot-root')).toMatchObject({ status: 'unknown', cause: 'follows', remedy: 'See new-tmpfs.' })
    expect(reportOf(old).blockers).toEqual(['new-tmpfs'])
  })

  test('a root that is an initramfs cannot be pivoted', () => {
    const rootfs = machine({ fails: { 'user/pivot-root': ['pivot_root', 'EINVAL'] } })
    expect(finding(rootfs, 'pivot-root')).toMatchObject({ cause: 'initramfs', remedy: expect.stringMatching(/another root/) as string })
  })
})

describe('who is to blame', () => {
  test('in a container the sysctl is set on its host', () => {
    const container = machine({
      files: { '/run/.containerenv': '', '/proc/sys/user/max_user_namespaces': '0' },
      fails: { 'user/*': ['clone', 'ENOSPC'] },
    })
    expect(finding(container, 'user-namespaces')?.remedy).toMatch(/as root on the host of the container/)
  })

  test('a filter that no container explains', () => {
    const filtered = machine({ files: { '/proc/self/status': 'CapEff:\t0\nSeccomp:\t2\n' }, fails: { 'user/*': ['clone', 'EPERM'] } })
    expect(finding(filtered, 'user-namespaces')).toMatchObject({
      cause: 'seccomp-profile',
      remedy: expect.stringMatching(/inherits/) as string,
    })
  })

  test('a chroot', () => {
    const files = { '/proc/self/mountinfo': '30 21 0:5 / /proc rw - proc proc rw\n' }
    expect(finding(machine({ files, fails: { 'user/*': ['clone', 'EPERM'] } }), 'user-namespaces')?.cause).toBe('chroot')
  })

  test('SELinux', () => {
    const files = { '/proc/self/attr/current': 'system_u:system_r:container_t:s0:c1,c2\0' }
    const confined = machine({ files, fails: { 'user/*': ['clone', 'EACCES'] } })
    expect(finding(confined, 'user-namespaces')).toMatchObject({
      cause: 'security-module',
      detail: expect.stringMatching(/container_t/) as string,
    })
    const free = machine({
      files: { '/proc/self/attr/current': 'unconfined_u:unconfined_r:unconfined_t:s0' },
      fails: { 'user/*': ['clone', 'EACCES'] },
    })
    expect(finding(free, 'user-namespaces')).toMatchObject({ cause: 'unknown' })
  })

  test('a kernel without the option, and one that is too old', () => {
    expect(finding(machine({ fails: { 'user/*': ['clone', 'EINVAL'] } }), 'user-namespaces')).toMatchObject({
      cause: 'kernel-configuration',
      remedy: 'Use a kernel that is built with CONFIG_USER_NS.',
    })
    expect(finding(machines.debian10, 'seccomp-notify')).toMatchObject({ cause: 'kernel-version', remedy: 'Use Linux 5.0 or newer.' })
    expect(finding(machines.debian10, 'close-range')).toMatchObject({ cause: 'kernel-version', remedy: 'Use Linux 5.9 or newer.' })
  })

  test('a used-up number of one kind', () => {
    const used = machine({ files: { '/proc/sys/user/max_net_namespaces': '0' }, fails: { 'user/network-namespace': ['clone', 'ENOSPC'] } })
    expect(finding(used, 'network-namespace')).toMatchObject({
      cause: 'sysctl-max-namespaces',
      remedy: expect.stringMatching(/user\.max_net_namespaces=10000/) as string,
    })
    expect(reportOf(used).blockers).toEqual(['network-namespace'])
  })

  test('Landlock: off at boot, or not in the kernel', () => {
    const off = machine({ fails: { landlock: ['version', 'EOPNOTSUPP'] } })
    expect(finding(off, 'landlock')).toMatchObject({ cause: 'boot-parameters', remedy: expect.stringMatching(/lsm=/) as string })
    expect(reportOf(off)).toMatchObject({ tier: 'full', landlockAbi: 0, reason: expect.stringMatching(/no Landlock/) as string })
    const old = machine({ release: '5.10.0-30-amd64', fails: { landlock: ['version', 'ENOSYS'] } })
    expect(finding(old, 'landlock')).toMatchObject({ cause: 'kernel-version', remedy: 'Use Linux 5.13 or newer.' })
  })

  test('without namespaces and without Landlock there is no tier', () => {
    const bare = machine({ fails: { 'user/*': ['clone', 'EPERM'], landlock: ['version', 'EOPNOTSUPP'] } })
    expect(reportOf(bare)).toMatchObject({
      tier: 'none',
      blockers: ['user-namespaces'],
      reason: expect.stringMatching(/user namespaces: .* And Landlock: .*boot/) as string,
    })
  })

  test('a listener of another sandbox', () => {
    expect(finding(machine({ fails: { 'seccomp-notify': ['install', 'EBUSY'] } }), 'seccomp-notify')?.cause).toBe('listener')
  })

  test('Yama, of which the supervisor of a user namespace is free at 2', () => {
    const files = { '/proc/sys/kernel/yama/ptrace_scope': '2' }
    const strict = machine({ files, fails: { 'process-memory': ['process_vm_readv', 'EPERM'], ptrace: ['seize', 'EPERM'] } })
    expect(finding(strict, 'process-memory')?.status).toBe('works')
    expect(finding(strict, 'ptrace')).toMatchObject({
      cause: 'sysctl-yama-ptrace-scope',
      remedy: expect.stringMatching(/ptrace_scope=1/) as string,
    })
    expect(reportOf(strict).tier).toBe('full')
  })
})

describe('cgroups', () => {
  const slice = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice'

  test('delegated, with controllers', () => {
    const parent = dirname(slice)
    const files = {
      [`${slice}/cgroup.controllers`]: 'cpu memory pids\n',
      [`${slice}/cgroup.type`]: 'domain\n',
      [`${parent}/cgroup.subtree_control`]: 'memory pids\n',
    }
    expect(finding(machine({ files }), 'cgroup-v2')).toMatchObject({
      status: 'works',
      detail: `One was made in ${slice}. Controllers: cpu, memory, pids. Guests get theirs in ${parent}: memory, pids.`,
    })
    expect(finding(machine({ files: { ...files, [`${slice}/memory.max`]: '1000000\n' } }), 'cgroup-v2')).toMatchObject({
      status: 'missing',
      detail: expect.stringMatching(/Guests get none: .*no limit of memory/) as string,
    })
    expect(finding(machine({ files }), 'cgroup-v1')).not.toHaveProperty('remedy')
  })

  test('not delegated, read-only, not mounted', () => {
    expect(finding(machine({ fails: { cgroup: ['mkdir', 'EACCES'] } }), 'cgroup-v2')).toMatchObject({
      cause: 'privileges',
      remedy: expect.stringMatching(/Delegate=yes/) as string,
    })
    expect(finding(machines.dockerDefault, 'cgroup-v2')).toMatchObject({
      status: 'missing',
      remedy: expect.stringMatching(/read-write/) as string,
    })
    expect(finding(machine({ files: { '/proc/self/cgroup': '' } }), 'cgroup-v2')).toMatchObject({ cause: 'not-installed' })
  })
})

describe('programs', () => {
  test('a launcher that is missing, or of another architecture, is a blocker of every tier', () => {
    for (const error of ['ENOENT', 'EACCES', 'ENOEXEC']) {
      const broken = machine({ launcher: { file: '/app/prebuilds/confine-launch', error } })
      expect(finding(broken, 'launcher')).toMatchObject({
        status: 'missing',
        cause: 'not-installed',
        detail: expect.stringContaining(error) as string,
      })
      expect(reportOf(broken)).toMatchObject({ tier: 'none', blockers: ['launcher'] })
    }
  })

  test('a probe program that is missing leaves everything unknown', () => {
    const blind = { ...machine({ program: { file: '/app/prebuilds/confine-probe', error: 'ENOENT' } }), attempts: [] }
    expect(finding(blind, 'probe-program')).toMatchObject({ status: 'missing', remedy: expect.stringMatching(/npm run build/) as string })
    expect(finding(blind, 'landlock')).toMatchObject({ status: 'unknown' })
    expect(finding(blind, 'mount-namespace')).toMatchObject({ status: 'unknown' })
    expect(reportOf(blind)).toMatchObject({ tier: 'none', blockers: ['probe-program'], reason: expect.stringMatching(/ENOENT/) as string })
  })

  test('what was killed is missing, what was late or not tried is unknown', () => {
    const seen = machine()
    const change = (check: string, state: 'killed' | 'late' | 'untried') => ({
      ...seen,
      attempts: seen.attempts.map((attempt) => (attempt.check === check ? { ...attempt, state, value: 31 } : attempt)),
    })
    expect(finding(change('landlock', 'killed'), 'landlock')).toMatchObject({
      status: 'missing',
      detail: expect.stringMatching(/signal 31/) as string,
    })
    expect(finding(change('landlock', 'late'), 'landlock')).toMatchObject({ status: 'unknown' })
    expect(finding(change('pidfd', 'untried'), 'pidfd')).toMatchObject({ status: 'unknown' })
    expect(reportOf(change('pidfd', 'untried')).tier).toBe('none')
  })
})

describe('the shape', () => {
  const all: readonly Observations[] = [
    ...Object.values(machines).filter((value): value is Observations => typeof value === 'object' && 'attempts' in value),
    machine({ platform: 'darwin', architecture: 'arm64' }),
    machine({ platform: 'win32' }),
    machine({ architecture: 'ia32' }),
  ]

  test('every finding, in order, on every machine; JSON brings it back whole', () => {
    for (const observations of all) {
      const report = reportOf(observations, 12)
      expect(report.findings.map(({ id }) => id)).toEqual(findingIds)
      expect(JSON.parse(JSON.stringify(report))).toStrictEqual(report)
    }
  })

  test('whatever does not work has a cause; what is lost by it has a remedy, unless nobody knows', () => {
    for (const observations of all)
      for (const { status, cause, consequence, remedy, id } of reportOf(observations).findings) {
        if (status === 'works') expect(remedy, id).toBeUndefined()
        else expect(cause, id).toBeDefined()
        if (status !== 'works' && consequence !== undefined && cause !== 'unknown') expect(remedy, id).toMatch(/\.$/)
      }
  })

  test('another platform says so and has tried nothing', () => {
    const report = reportOf({ ...machine({ platform: 'darwin', architecture: 'arm64' }), attempts: [] })
    expect(report).toMatchObject({ platform: 'darwin', tier: 'none', blockers: ['platform'], landlockAbi: 0 })
    expect(report.findings[0]).toMatchObject({
      id: 'platform',
      status: 'missing',
      detail: expect.stringMatching(/this is darwin/) as string,
    })
    expect(new Set(report.findings.slice(1).map(({ status }) => status))).toEqual(new Set(['unknown']))
  })
})
