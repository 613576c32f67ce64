import type { Facts } from './facts.ts'
import { landlockAbi } from './landlock.ts'
import type { World } from './observations.ts'
import type { Finding, FindingId, ProbeReport, Tier } from './report.ts'

/** The strongest tier that the findings allow, and why not a stronger one. */
export function tierOf(facts: Facts, findings: readonly Finding[]): Pick<ProbeReport, 'tier' | 'reason' | 'blockers'> {
  const find = (id: FindingId) => findings.find((finding) => finding.id === id)
  const lacking = everywhere.filter((id) => find(id)?.status !== 'works')
  // What works without a user namespace waits for user namespaces only.
  const hasUser = facts.works('user-namespaces', 'user')
  const unspaced = inNamespaces.filter((id) => !facts.works(id, 'user') && (hasUser || find(id)?.status !== 'works'))
  const blockers = [...lacking, ...unspaced].filter((id) => find(id)?.cause !== 'follows')
  const tier = decide(facts, lacking)
  const say = (id: FindingId) => `${find(id)?.what}: ${find(id)?.detail}`
  const why = say(blockers[0] ?? lacking[0] ?? 'platform')
  const reason = reasonFor(tier, facts, why)
  // Everything is there that each tier needs, and neither of the walls.
  return { tier, reason: tier === 'none' && lacking.length === 0 ? `${reason} And ${say('landlock')}` : reason, blockers }
}

/** What each tier needs. */
const everywhere: readonly FindingId[] = [
  'platform',
  'launcher',
  'probe-program',
  'proc',
  'seccomp-filter',
  'seccomp-notify',
  'seccomp-continue',
  'no-new-privs',
  'pidfd',
  'close-range',
  'process-memory',
]

/** What the tiers with namespaces need. */
const inNamespaces: readonly FindingId[] = [
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
]

function decide(facts: Facts, lacking: readonly FindingId[]): Tier {
  if (lacking.length > 0) return 'none'
  const worksIn = (world: World) => inNamespaces.every((id) => (world === 'root' && id === 'user-namespaces') || facts.works(id, world))
  if (worksIn('user')) return 'full'
  if (worksIn('root')) return 'no-user-namespaces-root'
  return landlockAbi(facts) > 0 ? 'landlock-seccomp' : 'none'
}

function reasonFor(tier: Tier, facts: Facts, why: string): string {
  const abi = landlockAbi(facts)
  const second = abi > 0 ? `Landlock ABI ${abi}` : 'no Landlock'
  switch (tier) {
    case 'full':
      return `User namespaces, everything that is done in them, and seccomp with user notification work; ${second}.`
    case 'no-user-namespaces-root':
      return `Namespaces can be made with the privileges of root only; ${second}. Missing for more: ${why}`
    case 'landlock-seccomp':
      return `Landlock (ABI ${abi}) and seccomp alone. Missing for more: ${why}`
    case 'none':
      return `No tier can be had. Missing first: ${why}`
  }
}
