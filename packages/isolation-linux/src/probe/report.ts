/** What a machine can do to hold a guest, and what it cannot. Data: it survives JSON. */
export interface ProbeReport {
  /** `process.platform` */
  readonly platform: string
  /** `process.arch` */
  readonly architecture: string
  /** As `uname -r` says it. */
  readonly kernel: string
  readonly libc: Libc
  /** The effective user id of this process, -1 where there is none. */
  readonly uid: number
  /** Containers, virtual kernels and the like that this process seems to run in. Empty: none was seen. */
  readonly surroundings: readonly Surrounding[]
  /** The newest Landlock ABI that works here, 0: none. landlock(7) */
  readonly landlockAbi: number
  /** One for each id, always all of them, in the order of `findingIds`. */
  readonly findings: readonly Finding[]
  /** The strongest isolation that this machine gives to this user. */
  readonly tier: Tier
  /** Why it is this tier, and what stands in the way of a better one. */
  readonly reason: string
  /** The findings that stand in the way of `full`, the first cause first. */
  readonly blockers: readonly FindingId[]
  /** How long the probe took, milliseconds. */
  readonly durationMs: number
}

/** The C library that node was built for. */
export interface Libc {
  readonly name: 'glibc' | 'musl' | 'unknown'
  readonly version?: string
}

/** Something around this process that shapes what it may do. */
export interface Surrounding {
  readonly kind: SurroundingKind
  /** Where it was read. */
  readonly seenIn: string
}

/** A container manager, or a kernel that is not Linux itself. */
export type SurroundingKind = 'docker' | 'podman' | 'kubernetes' | 'lxc' | 'systemd-nspawn' | 'gvisor' | 'wsl1' | 'wsl2'

/**
 * The tiers, strongest first.
 * - `full`: user namespaces with everything in them, for root and for everybody else.
 * - `no-user-namespaces-root`: the same namespaces, made with the privileges of root.
 * - `landlock-seccomp`: no namespaces; Landlock and seccomp alone.
 * - `none`: what every tier needs is missing, such as seccomp with user notification.
 */
export const tiers = Object.freeze(['full', 'no-user-namespaces-root', 'landlock-seccomp', 'none'] as const)

/** One of the tiers. */
export type Tier = (typeof tiers)[number]

/** One primitive. */
export interface Finding {
  /** Stable: match on it. */
  readonly id: FindingId
  /** What it is, for people. */
  readonly what: string
  /** `works`: it was done. `missing`: it was tried and failed. `unknown`: it could not be tried. */
  readonly status: ProbeStatus
  /** What was seen. */
  readonly detail: string
  /** What blocks it. Stable: match on it. Only where `status` is not `works`. */
  readonly cause?: Cause
  /** What cannot be had without it. Absent: nothing is lost. */
  readonly consequence?: string
  /** What the user can do about it. */
  readonly remedy?: string
}

/** See `Finding.status`. */
export type ProbeStatus = 'works' | 'missing' | 'unknown'

/** What is looked at, in the order of the report. */
export const findingIds = Object.freeze([
  'platform',
  'launcher',
  'probe-program',
  'proc',
  'user-namespaces',
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
  'landlock',
  'seccomp-filter',
  'seccomp-notify',
  'seccomp-continue',
  'seccomp-wait-killable',
  'seccomp-add-descriptor',
  'no-new-privs',
  'pidfd',
  'close-range',
  'process-memory',
  'cgroup-v2',
  'cgroup-v1',
  'ptrace',
  'strace',
] as const)

/** The name of a finding. */
export type FindingId = (typeof findingIds)[number]

/** What can block a primitive. */
export type Cause =
  /** The whole platform or architecture is another one. */
  | 'platform'
  /** A program or a file system that is not there. */
  | 'not-installed'
  | 'sysctl-max-user-namespaces'
  | 'sysctl-max-namespaces'
  | 'sysctl-unprivileged-userns-clone'
  | 'sysctl-yama-ptrace-scope'
  /** Ubuntu's kernel.apparmor_restrict_unprivileged_userns. */
  | 'apparmor-userns'
  /** The seccomp filter that this process runs under, a container's most often. */
  | 'seccomp-profile'
  /** AppArmor, SELinux or another security module confines this process. */
  | 'security-module'
  /** This process has changed its root directory. */
  | 'chroot'
  /** The root of this machine is an initramfs. pivot_root(2) */
  | 'initramfs'
  /** Another supervisor listens to this process tree already. */
  | 'listener'
  /** A security module that the kernel has, and that was not switched on at boot. */
  | 'boot-parameters'
  | 'kernel-version'
  | 'kernel-configuration'
  | 'gvisor'
  | 'wsl1'
  /** This user may not, and root could. */
  | 'privileges'
  /** Nothing of its own: another finding blocks it. */
  | 'follows'
  | 'unknown'
