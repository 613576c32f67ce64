import { expect, test } from 'vitest'
import { cgroupPlaces } from '../src/cgroup-places.ts'

const places = (cgroup: string, mountinfo: string) => cgroupPlaces({ '/proc/self/cgroup': cgroup, '/proc/self/mountinfo': mountinfo })

test('version 2: the directory of this process', () => {
  expect(
    places('0::/user.slice/session-2.scope\n', '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n'),
  ).toEqual([{ version: 2, controller: '', directory: '/sys/fs/cgroup/user.slice/session-2.scope' }])
})

test('version 1: the controllers that limit, beside an empty version 2', () => {
  const cgroup = '9:name=systemd:/\n4:memory:/a/b\n3:cpuset:/\n2:cpu,cpuacct:/\n1:pids:/\n0::/\n'
  const mountinfo =
    '31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n' +
    '32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n' +
    '33 30 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n' +
    '34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n'
  expect(places(cgroup, mountinfo)).toEqual([
    { version: 1, controller: 'memory', directory: '/sys/fs/cgroup/memory/a/b' },
    { version: 1, controller: 'cpu', directory: '/sys/fs/cgroup/cpu,cpuacct' },
    { version: 1, controller: 'pids', directory: '/sys/fs/cgroup/pids' },
    { version: 2, controller: '', directory: '/sys/fs/cgroup/unified' },
  ])
})

test('a mount that shows a part of the hierarchy, at a place with a space', () => {
  expect(places('0::/machine/box/init\n', '30 24 0:26 /machine/box /the\\040groups ro - cgroup2 cgroup2 rw\n')).toEqual([
    { version: 2, controller: '', directory: '/the groups/init' },
  ])
  expect(places('0::/elsewhere\n', '30 24 0:26 /machine/box /groups ro - cgroup2 cgroup2 rw\n')[0]?.directory).toBe('/groups')
})

test('nothing is mounted, nothing is readable, nothing makes sense', () => {
  expect(places('0::/\n', '')).toEqual([])
  expect(cgroupPlaces({})).toEqual([])
  expect(places('zero\n::\n', '30 24\n - \n')).toEqual([])
})
