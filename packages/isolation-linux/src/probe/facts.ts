import type { Attempt, Observations, World } from './observations.ts'
import type { Surrounding, SurroundingKind } from './report.ts'
import { surroundingsOf } from './surroundings.ts'

/** The observations, read: what the findings ask for. */
export interface Facts {
  readonly observations: Observations
  readonly surroundings: readonly Surrounding[]
  /** Whether this process has CAP_SYS_ADMIN in its user namespace. */
  readonly isPrivileged: boolean
  /** Whether a seccomp filter is on this process. */
  readonly isFiltered: boolean
  /** The AppArmor profile or SELinux label that confines this process, undefined: none. */
  readonly securityContext: string | undefined
  /** Whether the root directory is another one than the mount namespace's. */
  readonly isChrooted: boolean
  isIn(kind: SurroundingKind): boolean
  /** Whether any of the surroundings is a container. */
  readonly isInContainer: boolean
  /** The number in a file of /proc/sys, undefined: there is none. */
  sysctl(path: string): number | undefined
  /** Whether the kernel calls itself older than this: `5.13`. */
  isOlderThan(version: string): boolean
  attempt(check: string, world?: World): Attempt | undefined
  works(check: string, world?: World): boolean
}

/** The sysctls that the findings ask for. */
export const sysctlFiles = Object.freeze([
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
  'kernel/yama/ptrace_scope',
  ...['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((kind) => `user/max_${kind}_namespaces`),
])

export function factsOf(observations: Observations): Facts {
  const { files, attempts } = observations
  const status = files['/proc/self/status'] ?? ''
  const surroundings = surroundingsOf(observations)
  const attempt = (check: string, world: World = 'host') => attempts.find((one) => one.check === check && one.world === world)
  return {
    observations,
    surroundings,
    isPrivileged: hasCapability(field(status, 'CapEff'), sysAdmin),
    isFiltered: field(status, 'Seccomp') === '2',
    securityContext: contextOf(files['/proc/self/attr/current']),
    isChrooted: isChrooted(files['/proc/self/mountinfo']),
    isIn: (kind) => surroundings.some((one) => one.kind === kind),
    isInContainer: surroundings.some(({ kind }) => kind !== 'wsl1' && kind !== 'wsl2'),
    sysctl: (path) => numberIn(files[`/proc/sys/${path}`]),
    isOlderThan: (version) => compareVersions(observations.release, version) < 0,
    attempt,
    works: (check, world) => attempt(check, world)?.state === 'works',
  }
}

/** CAP_SYS_ADMIN. capabilities(7) */
const sysAdmin = 21n

function hasCapability(mask: string | undefined, number: bigint): boolean {
  return mask !== undefined && /^[0-9a-f]+$/i.test(mask) && ((BigInt(`0x${mask}`) >> number) & 1n) === 1n
}

/** One line of /proc/self/status. */
function field(status: string, name: string): string | undefined {
  return status.match(new RegExp(`^${name}:\\s*(\\S+)`, 'm'))?.[1]
}

/** `docker-default (enforce)`, or SELinux's `user:role:type:level`. */
function contextOf(text: string | undefined): string | undefined {
  const context = text?.replace(/\0/g, '').trim() ?? ''
  if (context === '' || context === 'kernel' || context === 'unconfined' || /\b(unconfined_t|spc_t|kernel_t)\b/.test(context))
    return undefined
  return / \((complain|unconfined)\)$/.test(context) ? undefined : context
}

/** A process that sees mounts, and none at its root, has changed it. proc_pid_mountinfo(5) */
function isChrooted(mountinfo: string | undefined): boolean {
  if (mountinfo === undefined || mountinfo.trim() === '') return false
  return !mountinfo.split('\n').some((line) => line.split(' ')[4] === '/')
}

function numberIn(text: string | undefined): number | undefined {
  const number = Number.parseInt(text ?? '', 10)
  return Number.isNaN(number) ? undefined : number
}

/** By the first two numbers; the rest is the distribution's. */
function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(/[^0-9]+/).map(Number)
  const [majorB = 0, minorB = 0] = b.split(/[^0-9]+/).map(Number)
  return majorA - majorB || minorA - minorB
}
