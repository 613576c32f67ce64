import { expect, test } from 'vitest'
import { type CgroupFiles, cgroupParents } from '../src/cgroup-parents.ts'

/** A machine with these files, on which everything but the named directories can be written. */
function machine(texts: Readonly<Record<string, string>>, more: Partial<CgroupFiles> = {}): CgroupFiles {
  return { read: (path) => texts[path], isWritable: () => true, isRoot: false, ...more }
}

const v2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n'
const app = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice'
const scope = `${app}/vte-spawn-1.scope`
/** A program that a user of systemd has started in a terminal. */
const user = {
  '/proc/self/cgroup': `0::${scope.slice('/sys/fs/cgroup'.length)}\n`,
  '/proc/self/mountinfo': v2,
  [`${scope}/cgroup.type`]: 'domain\n',
  [`${app}/cgroup.type`]: 'domain\n',
  [`${app}/cgroup.subtree_control`]: 'memory pids\n',
}

test('version 2: beside its own, where that was delegated and limits', () => {
  expect(cgroupParents(machine(user))).toEqual([{ kind: 'v2', directory: app }])
  expect(cgroupParents(machine(user, { isWritable: (path) => path !== app }))).toEqual([])
  expect(cgroupParents(machine({ ...user, [`${app}/cgroup.subtree_control`]: 'cpu\n' }))).toEqual([])
  expect(cgroupParents(machine({ ...user, [`${app}/cgroup.subtree_control`]: '\n' }))).toEqual([])
})

test('version 2: not where the host process is under a limit that its guests would get away from', () => {
  const own = (name: string, text: string) => cgroupParents(machine({ ...user, [`${scope}/${name}`]: text }))
  for (const name of ['memory.max', 'memory.high', 'memory.swap.max']) expect(own(name, 'max\n')).toHaveLength(1)
  expect(own('cpu.max', 'max 100000\n')).toHaveLength(1)
  for (const name of ['memory.max', 'memory.high', 'memory.swap.max']) expect(own(name, '1073741824\n')).toEqual([])
  expect(own('cpu.max', '50000 100000\n')).toEqual([])
})

test('version 2, root: not in a slice of systemd, but in a service that was delegated', () => {
  const service = '/sys/fs/cgroup/system.slice/web.service'
  const host = (own: string, parent: string) =>
    machine(
      {
        '/proc/self/cgroup': `0::${own.slice('/sys/fs/cgroup'.length)}\n`,
        '/proc/self/mountinfo': v2,
        [`${own}/cgroup.type`]: 'domain\n',
        [`${parent}/cgroup.type`]: 'domain\n',
        [`${parent}/cgroup.subtree_control`]: 'cpu memory pids\n',
      },
      { isRoot: true },
    )
  expect(cgroupParents(host(service, '/sys/fs/cgroup/system.slice'))).toEqual([])
  expect(cgroupParents(host(`${service}/main`, service))).toEqual([{ kind: 'v2', directory: service }])
})

test('version 2: at the top of the hierarchy, and not at the top of what a container sees', () => {
  const top = { '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': v2, '/sys/fs/cgroup/cgroup.subtree_control': 'memory\n' }
  expect(cgroupParents(machine(top, { isRoot: true }))).toEqual([{ kind: 'v2', directory: '/sys/fs/cgroup' }])
  expect(cgroupParents(machine({ ...top, '/sys/fs/cgroup/cgroup.type': 'domain\n' }, { isRoot: true }))).toEqual([])
  // One level below the top.
  const below = { ...top, '/proc/self/cgroup': '0::/init\n', '/sys/fs/cgroup/init/cgroup.type': 'domain\n' }
  expect(cgroupParents(machine(below, { isRoot: true }))).toEqual([{ kind: 'v2', directory: '/sys/fs/cgroup' }])
})

test('version 1: below its own, for memory and for processes', () => {
  const texts = {
    '/proc/self/cgroup': '8:pids:/\n7:cpu,cpuacct:/\n4:memory:/docker/abc\n1:name=systemd:/\n0::/\n',
    '/proc/self/mountinfo': [
      '35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
      '40 31 0:37 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
      '33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    ].join('\n'),
    '/sys/fs/cgroup/unified/cgroup.subtree_control': '\n',
  }
  const memory = { kind: 'memory', directory: '/sys/fs/cgroup/memory' }
  const pids = { kind: 'pids', directory: '/sys/fs/cgroup/pids' }
  expect(cgroupParents(machine(texts, { isRoot: true }))).toEqual([pids, memory])
  expect(cgroupParents(machine(texts, { isWritable: (path) => path.endsWith('memory') }))).toEqual([memory])
})

test('a machine that tells nothing has none', () => {
  expect(cgroupParents(machine({}))).toEqual([])
  expect(cgroupParents(machine({ '/proc/self/cgroup': '0::/\n' }))).toEqual([])
})
