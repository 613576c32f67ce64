import { expect, test } from 'vitest'
import { surroundingsOf } from '../../src/probe/surroundings.ts'

const nowhere = { release: '6.8.0-45-generic', version: '#45-Ubuntu SMP', environment: {}, files: {} }

test.each([
  ['nothing', {}, []],
  ['/.dockerenv', { files: { '/.dockerenv': '' } }, ['docker']],
  ['/run/.containerenv', { files: { '/run/.containerenv': 'engine="podman-5.2.2"\n' } }, ['podman']],
  ['Kubernetes by its service', { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }, ['kubernetes']],
  ['Kubernetes by cgroup v1', { files: { '/proc/self/cgroup': '4:memory:/kubepods/burstable/pod1/2\n' } }, ['kubernetes']],
  ['Docker by cgroup v1', { files: { '/proc/self/cgroup': '4:memory:/docker/0123abcd\n' } }, ['docker']],
  ['Docker by systemd', { files: { '/proc/self/cgroup': '0::/system.slice/docker-0123abcd.scope\n' } }, ['docker']],
  ['Podman by cgroup', { files: { '/proc/self/cgroup': '0::/user.slice/libpod-0123.scope\n' } }, ['podman']],
  ['the service of Docker itself is no container', { files: { '/proc/self/cgroup': '0::/system.slice/docker.service\n' } }, []],
  ['LXC', { environment: { container: 'lxc' } }, ['lxc']],
  ['systemd-nspawn', { files: { '/run/systemd/container': 'systemd-nspawn\n' } }, ['systemd-nspawn']],
  ['WSL 1', { release: '4.4.0-19041-Microsoft' }, ['wsl1']],
  ['WSL 2', { release: '5.15.167.4-microsoft-standard-WSL2' }, ['wsl2']],
  ['an early WSL 2', { release: '4.19.84-microsoft-standard' }, ['wsl2']],
  ['gVisor', { release: '4.4.0', version: '#1 SMP Sun Jan 10 15:06:54 PST 2016' }, ['gvisor']],
  ['a newer gVisor', { release: '4.19.0-gvisor' }, ['gvisor']],
  ['gVisor in Docker', { release: '4.19.0-gvisor', files: { '/.dockerenv': '' } }, ['gvisor', 'docker']],
] as const)('%s', (_, seen, kinds) => {
  expect(surroundingsOf({ ...nowhere, ...seen }).map(({ kind }) => kind)).toEqual(kinds)
})
