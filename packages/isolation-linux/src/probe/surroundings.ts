import type { Observations } from './observations.ts'
import type { Surrounding, SurroundingKind } from './report.ts'

/** The files that `surroundingsOf` looks at. */
export const surroundingFiles = Object.freeze(['/.dockerenv', '/run/.containerenv', '/run/systemd/container', '/proc/self/cgroup'])

/** The environment variables that it looks at. */
export const surroundingVariables = Object.freeze(['KUBERNETES_SERVICE_HOST', 'container'])

/** Guesses what this process runs in, from what container managers and kernels leave behind. */
export function surroundingsOf(seen: Pick<Observations, 'release' | 'version' | 'environment' | 'files'>): readonly Surrounding[] {
  const found: Surrounding[] = []
  const add = (kind: SurroundingKind | undefined, seenIn: string) => {
    if (kind !== undefined && !found.some((other) => other.kind === kind)) found.push({ kind, seenIn })
  }
  add(kernelKind(seen.release, seen.version), 'uname')
  if (seen.environment.KUBERNETES_SERVICE_HOST !== undefined) add('kubernetes', 'KUBERNETES_SERVICE_HOST')
  if (seen.files['/.dockerenv'] !== undefined) add('docker', '/.dockerenv')
  if (seen.files['/run/.containerenv'] !== undefined) add('podman', '/run/.containerenv')
  add(managerKinds[seen.files['/run/systemd/container']?.trim() ?? ''], '/run/systemd/container')
  add(managerKinds[seen.environment.container ?? ''], 'the environment variable container')
  for (const [pattern, kind] of cgroupKinds) if (pattern.test(seen.files['/proc/self/cgroup'] ?? '')) add(kind, '/proc/self/cgroup')
  return found
}

function kernelKind(release: string, version: string): SurroundingKind | undefined {
  // gVisor says 4.4.0 or 4.19.0-gvisor, always with the same date: pkg/sentry/syscalls/linux/linux64.go
  if (/gvisor/i.test(release) || version.includes('Sun Jan 10 15:06:54 PST 2016')) return 'gvisor'
  if (/microsoft.*wsl2/i.test(release)) return 'wsl2'
  // 4.4.0-19041-Microsoft is WSL 1; 4.19.84-microsoft-standard was an early WSL 2.
  if (/microsoft-standard/.test(release)) return 'wsl2'
  return /Microsoft/.test(release) ? 'wsl1' : undefined
}

/** systemd-detect-virt(1) */
const managerKinds: Readonly<Record<string, SurroundingKind>> = {
  docker: 'docker',
  podman: 'podman',
  oci: 'docker',
  lxc: 'lxc',
  'lxc-libvirt': 'lxc',
  'systemd-nspawn': 'systemd-nspawn',
}

/** With cgroup v1, or in the cgroup namespace of the host, the path names its maker. */
const cgroupKinds: readonly (readonly [RegExp, SurroundingKind])[] = [
  [/kubepods/, 'kubernetes'],
  [/docker[-/]/, 'docker'],
  [/libpod/, 'podman'],
  [/\/lxc[./]/, 'lxc'],
]
