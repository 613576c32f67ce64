import { type Block, blockOf, type Demand, describe, plainFinding, statusOf } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import { newerKernel, see, setSysctl } from './remedies.ts'
import type { Finding, FindingId } from './report.ts'
import { namespaceCalls } from './user-namespaces.ts'

/** The other namespaces, in a user namespace and without one. */
export function namespaces(facts: Facts): readonly Finding[] {
  return kinds.map((kind) => inNamespaces(facts, kind, namespaceBlock(kind)))
}

/** What is tried in the world of a user namespace and in that of root. */
export interface Spaced {
  readonly id: FindingId
  readonly what: string
  readonly consequence: string
  readonly demand: Demand
  /** Steps that belong to another finding, which is then the one that blocks. */
  readonly foreignSteps?: Readonly<Record<string, FindingId>>
}

/** The finding for something that takes namespaces, whichever of the two worlds it works in. */
export function inNamespaces(facts: Facts, spaced: Spaced, block: (facts: Facts, attempt: Attempt) => Block): Finding {
  const { id, what, consequence, demand, foreignSteps = {} } = spaced
  const isInUser = facts.works(id, 'user')
  const isInRoot = facts.works(id, 'root')
  if (isInUser || isInRoot) {
    const where = isInUser
      ? isInRoot
        ? 'In a user namespace and without one'
        : 'In a user namespace'
      : 'Without a user namespace only, as root'
    return { id, what, status: 'works', detail: `It was done. ${where}.` }
  }
  // Where nothing can be done, whether the kernel knows the call.
  const knocked = facts.attempt(id, 'host')
  if (knocked?.state === 'failed') return plainFinding(facts, knocked, { id, what, consequence }, demand)

  const hasUser = facts.works('user-namespaces', 'user')
  if (!hasUser && !facts.isPrivileged) return follows(spaced, facts.attempt('user-namespaces', 'user'), 'user-namespaces')
  const attempt = facts.attempt(id, hasUser ? 'user' : 'root')
  const owner = attempt?.state === 'failed' ? foreignSteps[attempt.step] : undefined
  if (owner !== undefined) return follows(spaced, attempt, owner)
  return plainFinding(facts, attempt, { id, what, consequence }, demand, attempt && block(facts, attempt))
}

/** Namespaces that nobody may make are missing; calls that could not be tried in them may well be there. */
function follows({ id, what, consequence, foreignSteps }: Spaced, attempt: Attempt | undefined, on: FindingId): Finding {
  const detail = `It could not be tried without ${on}: ${describe(attempt)}.`
  const status = foreignSteps === undefined ? statusOf(attempt) : 'unknown'
  return { id, what, status, detail, cause: 'follows', consequence, remedy: see(on) }
}

interface Kind extends Spaced {
  /** user.max_<limit>_namespaces */
  readonly limit: string
}

const kinds: readonly Kind[] = [
  {
    id: 'mount-namespace',
    what: 'mount namespaces',
    limit: 'mnt',
    consequence: "The guest sees the host's files, which only Landlock and seccomp then close.",
    demand: { since: '2.4', option: 'CONFIG_NAMESPACES', calls: namespaceCalls },
  },
  {
    id: 'pid-namespace',
    what: 'process namespaces',
    limit: 'pid',
    consequence: "The guest sees the host's processes, and what it starts does not end with it.",
    demand: { since: '2.6', option: 'CONFIG_PID_NS', calls: namespaceCalls },
  },
  {
    id: 'network-namespace',
    what: 'network namespaces',
    limit: 'net',
    consequence: "The guest stands in the host's network, which only Landlock and seccomp then close.",
    demand: { since: '2.6', option: 'CONFIG_NET_NS', calls: namespaceCalls },
  },
  {
    id: 'ipc-namespace',
    what: 'IPC namespaces',
    limit: 'ipc',
    consequence: "The host's shared memory and message queues are within reach of the guest, but for seccomp.",
    demand: { since: '2.6', option: 'CONFIG_IPC_NS', calls: namespaceCalls },
  },
  {
    id: 'uts-namespace',
    what: 'host name namespaces',
    limit: 'uts',
    consequence: "The guest reads the host's name.",
    demand: { since: '2.6', option: 'CONFIG_UTS_NS', calls: namespaceCalls },
  },
  {
    id: 'cgroup-namespace',
    what: 'cgroup namespaces',
    limit: 'cgroup',
    consequence: "The guest sees where it stands among the host's cgroups.",
    demand: { since: '4.6', option: 'CONFIG_CGROUPS', calls: namespaceCalls },
  },
]

/** namespaces(7) */
function namespaceBlock({ limit, demand }: Kind): (facts: Facts, attempt: Attempt) => Block {
  return (facts, attempt) => {
    if (attempt.error === 'ENOSPC')
      return {
        cause: 'sysctl-max-namespaces',
        because: `their number is used up or limited to none: user.max_${limit}_namespaces is ${facts.sysctl(`user/max_${limit}_namespaces`) ?? 'not readable'}`,
        remedy: setSysctl(facts, `user.max_${limit}_namespaces`, 10_000),
      }
    if (attempt.step === 'identify' && facts.isOlderThan(demand.since))
      return { cause: 'kernel-version', because: `they came with Linux ${demand.since}`, remedy: newerKernel(demand.since) }
    return blockOf(facts, attempt, demand)
  }
}
