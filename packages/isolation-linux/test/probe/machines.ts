import type { Attempt, Observations, World } from '../../src/probe/observations.ts'

/**
 * Machines as observations. `here` was recorded on the machine of these tests (Linux 6.18, x64) and shortened to what is
 * read. The others are the same with what is known of each: the errnos come from the issues and manuals that are named.
 */

interface Changes extends Partial<Omit<Observations, 'attempts'>> {
  /** `check` as tried in the host's world, `user/check`, `root/check`, or `user/*` for every one of a world. */
  readonly fails?: Readonly<Record<string, readonly [step: string, error: string]>>
  readonly landlockAbi?: number
}

const hostChecks = [
  'no-new-privs',
  'landlock',
  'seccomp-filter',
  'seccomp-notify',
  'seccomp-continue',
  'seccomp-wait-killable',
  'seccomp-add-descriptor',
  'close-range',
  'pidfd',
  'process-memory',
  'ptrace',
  'open-tree',
  'mount-setattr',
  'new-tmpfs',
  'move-mount',
] as const

const spacedChecks = [
  'mount-namespace',
  'pid-namespace',
  'network-namespace',
  'ipc-namespace',
  'uts-namespace',
  'cgroup-namespace',
  'open-tree',
  'mount-setattr',
  'new-tmpfs',
  'move-mount',
  'pivot-root',
] as const

const here: Omit<Observations, 'attempts'> = {
  platform: 'linux',
  architecture: 'x64',
  release: '6.18.44',
  version: '#1 SMP PREEMPT_DYNAMIC',
  libc: { name: 'glibc', version: '2.36' },
  uid: 1000,
  environment: {},
  files: {
    '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000000\nSeccomp:\t0\n',
    '/proc/self/mountinfo':
      '21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n22 21 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n',
    '/proc/self/cgroup': '0::/user.slice/user-1000.slice/user@1000.service/app.slice\n',
    '/proc/sys/user/max_user_namespaces': '96365\n',
  },
  program: { file: '/app/prebuilds/confine-probe', exitCode: 0 },
  launcher: { file: '/app/prebuilds/confine-launch', exitCode: 125 },
  strace: { file: '' },
}

/** What root has: all capabilities. */
export const privileged = { '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n' }

/** What a user cannot do without a user namespace, anywhere. */
const unprivileged = { 'root/*': ['clone', 'EPERM'] } as const

export function machine({ fails = {}, landlockAbi = 7, files = {}, ...changes }: Changes = {}): Observations {
  const failing: Changes['fails'] = changes.uid === 0 ? fails : { ...unprivileged, ...fails }
  const attempt = (check: string, world: World, key: string): Attempt => {
    const failed = failing[key] ?? (world === 'host' ? undefined : failing[`${world}/*`])
    const value = check === 'landlock' && failed === undefined ? landlockAbi : 0
    return { check, world, state: failed === undefined ? 'works' : 'failed', step: failed?.[0] ?? '', error: failed?.[1] ?? '', value }
  }
  return {
    ...here,
    ...changes,
    files: { ...here.files, ...files },
    attempts: [
      ...hostChecks.map((check) => attempt(check, 'host', check)),
      attempt('user-namespaces', 'user', 'user/user-namespaces'),
      attempt('process-memory', 'user', 'user/process-memory'),
      ...spacedChecks.map((check) => attempt(check, 'user', `user/${check}`)),
      ...spacedChecks.map((check) => attempt(check, 'root', `root/${check}`)),
      attempt('cgroup', 'host', 'cgroup'),
    ],
  }
}

const noNamespaces = { 'user/*': ['clone', 'EPERM'], 'root/*': ['clone', 'EPERM'] } as const
const readOnlyCgroups = { cgroup: ['mkdir', 'EROFS'] } as const

/** Without user notification the four that build on it fail in the same way. */
function noNotification(step: string, error: string) {
  const failure = [step, error] as const
  return {
    'seccomp-notify': failure,
    'seccomp-continue': failure,
    'seccomp-wait-killable': failure,
    'seccomp-add-descriptor': failure,
  }
}

const beforeNewMounts = {
  'open-tree': ['open_tree', 'ENOSYS'],
  'mount-setattr': ['mount_setattr', 'ENOSYS'],
  'new-tmpfs': ['fsopen', 'ENOSYS'],
  'move-mount': ['move_mount', 'ENOSYS'],
} as const

const kernel4 = {
  ...beforeNewMounts,
  ...noNotification('sizes', 'EINVAL'),
  landlock: ['version', 'ENOSYS'],
  pidfd: ['pidfd_open', 'ENOSYS'],
  'close-range': ['close_range', 'ENOSYS'],
} as const

/** The node image as it comes, on Ubuntu 24.04: root, without CAP_SYS_ADMIN. moby/profiles/seccomp/default.json */
export const dockerDefault = machine({
  release: '6.8.0-45-generic',
  uid: 0,
  landlockAbi: 4,
  files: {
    '/.dockerenv': '',
    '/proc/self/status': 'Name:\tnode\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n',
    '/proc/self/attr/current': 'docker-default (enforce)\n',
    '/proc/self/cgroup': '0::/\n',
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
    '/proc/sys/kernel/unprivileged_userns_clone': '1\n',
  },
  fails: { ...noNamespaces, ...readOnlyCgroups },
})

/** runAsNonRoot, no capabilities, seccompProfile RuntimeDefault: the Pod Security Standard "restricted". */
export const kubernetesRestricted = machine({
  release: '6.1.112',
  landlockAbi: 2,
  environment: { KUBERNETES_SERVICE_HOST: '10.96.0.1' },
  files: {
    '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000000\nSeccomp:\t2\n',
    '/proc/self/attr/current': 'cri-containerd.apparmor.d (enforce)\n',
    '/proc/self/cgroup': '0::/\n',
  },
  fails: { ...noNamespaces, ...readOnlyCgroups },
})

/** The same without a seccomp profile, as pods are unless told: containerd's AppArmor profile denies mount(). */
export const kubernetesUnfiltered = machine({
  release: '6.1.112',
  landlockAbi: 2,
  environment: { KUBERNETES_SERVICE_HOST: '10.96.0.1' },
  files: { '/proc/self/attr/current': 'cri-containerd.apparmor.d (enforce)\n' },
  fails: {
    'user/mount-namespace': ['mount', 'EACCES'],
    'user/open-tree': ['mount', 'EACCES'],
    'user/mount-setattr': ['mount', 'EACCES'],
    'user/new-tmpfs': ['mount', 'EACCES'],
    'user/move-mount': ['mount', 'EACCES'],
    'user/pivot-root': ['mount', 'EACCES'],
    ...readOnlyCgroups,
  },
})

/** The namespace comes, its capabilities do not: google/nsjail#236, containers/bubblewrap#632. */
export const ubuntu2404 = machine({
  release: '6.8.0-45-generic',
  landlockAbi: 4,
  files: {
    '/proc/self/attr/current': 'unconfined\n',
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
    '/proc/sys/kernel/unprivileged_userns_clone': '1\n',
  },
  fails: {
    'user/user-namespaces': ['capability', 'EPERM'],
    'user/uts-namespace': ['sethostname', 'EPERM'],
    'user/mount-namespace': ['mount', 'EACCES'],
    'user/open-tree': ['mount', 'EACCES'],
    'user/mount-setattr': ['mount', 'EACCES'],
    'user/new-tmpfs': ['mount', 'EACCES'],
    'user/move-mount': ['mount', 'EACCES'],
    'user/pivot-root': ['mount', 'EACCES'],
  },
})

/** google/sandboxed-api#71 */
export const debian10 = machine({
  release: '4.19.0-25-amd64',
  files: { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' },
  fails: { ...kernel4, 'user/*': ['clone', 'EPERM'] },
})

/** netblue30/firejail#360 for EINVAL; nix-community/nix-user-chroot#91 for the sysctl. */
export const rhel7 = machine({
  release: '3.10.0-1160.el7.x86_64',
  files: { '/proc/sys/user/max_user_namespaces': '0\n' },
  fails: { ...kernel4, 'user/*': ['clone', 'EINVAL'] },
})

/** ComplianceAsCode/content#4569 */
export const rhel8Hardened = machine({
  release: '4.18.0-553.el8_10.x86_64',
  files: { '/proc/sys/user/max_user_namespaces': '0\n' },
  fails: { ...kernel4, 'user/*': ['clone', 'ENOSPC'] },
})

/** STIG RHEL-09-213105, ansible-lockdown/RHEL9-STIG#100. */
export const rhel9HardenedRoot = machine({
  release: '5.14.0-503.el9.x86_64',
  uid: 0,
  files: { ...privileged, '/proc/sys/user/max_user_namespaces': '0\n' },
  fails: { 'user/*': ['clone', 'ENOSPC'], landlock: ['version', 'EOPNOTSUPP'], 'seccomp-wait-killable': ['install', 'EINVAL'] },
})

/** Landlock is there though /sys/kernel/security/lsm is not: nolabs-ai/nono#416. */
export const wsl2 = machine({ release: '6.6.87.2-microsoft-standard-WSL2', landlockAbi: 3 })

/** microsoft/WSL#2981 */
export const wsl1 = machine({
  release: '4.4.0-19041-Microsoft',
  version: '#1237-Microsoft Sat Sep 11 14:32:00 PST 2021',
  fails: {
    ...kernel4,
    ...noNotification('sizes', 'ENOSYS'),
    'seccomp-filter': ['install', 'ENOSYS'],
    'user/*': ['clone', 'EINVAL'],
    'root/*': ['clone', 'EINVAL'],
  },
})

/** google/gvisor#14627 for seccomp. */
export const gvisor = machine({
  release: '4.4.0',
  version: '#1 SMP Sun Jan 10 15:06:54 PST 2016',
  uid: 0,
  files: { ...privileged, '/.dockerenv': '' },
  fails: { ...kernel4, 'user/pivot-root': ['fsopen', 'ENOSYS'], 'root/pivot-root': ['fsopen', 'ENOSYS'] },
})
