import { type Block, blockOf, type Demand, plainFinding } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import { allowUserNamespacesInAppArmor, setSysctl } from './remedies.ts'
import type { Finding } from './report.ts'

/** Whether this user gets a user namespace with capabilities in it, and who forbids it. */
export function userNamespaces(facts: Facts): Finding {
  const attempt = facts.attempt('user-namespaces', 'user')
  return plainFinding(
    facts,
    attempt,
    {
      id: 'user-namespaces',
      what: 'user namespaces',
      works: 'A process got one, with an identity and capabilities of its own.',
      consequence: facts.works('mount-namespace', 'root')
        ? "The guest's namespaces are made with the privileges of root, and its identity is one of this machine's."
        : 'Without root there are no namespaces at all: only Landlock and seccomp are left to hold a guest.',
    },
    demand,
    attempt && whoForbids(facts, attempt),
  )
}

/** The calls of the launcher that container profiles forbid together. */
export const namespaceCalls = 'clone, unshare, mount, umount2, pivot_root, the newer mount calls and sethostname'

const demand: Demand = { since: '3.8', option: 'CONFIG_USER_NS', calls: namespaceCalls }

/** From the surest sign to the vaguest. user_namespaces(7) */
function whoForbids(facts: Facts, attempt: Attempt): Block {
  const { step, error } = attempt
  const isRefused = error === 'EPERM' || error === 'EACCES'
  if (facts.isIn('gvisor') || facts.isIn('wsl1')) return blockOf(facts, attempt, demand)
  if (facts.sysctl('user/max_user_namespaces') === 0)
    return {
      cause: 'sysctl-max-user-namespaces',
      because: 'this machine allows none: user.max_user_namespaces is 0',
      remedy: setSysctl(facts, 'user.max_user_namespaces', 10_000),
    }
  if (error === 'ENOSPC' || error === 'EUSERS')
    return {
      cause: 'sysctl-max-user-namespaces',
      because: 'their number is used up or limited to none, here or in an outer user namespace',
      remedy: setSysctl(facts, 'user.max_user_namespaces', 10_000),
    }
  if (isRefused && !facts.isPrivileged && facts.sysctl('kernel/unprivileged_userns_clone') === 0)
    return {
      cause: 'sysctl-unprivileged-userns-clone',
      because: 'this machine allows them to root only: kernel.unprivileged_userns_clone is 0',
      remedy: setSysctl(facts, 'kernel.unprivileged_userns_clone', 1),
    }
  // A filter comes before every other judge, and answers to clone() itself.
  if (step === 'clone' && facts.isFiltered && error !== 'EACCES') return blockOf(facts, attempt, demand)
  if (isRefused && !facts.isPrivileged && facts.sysctl('kernel/apparmor_restrict_unprivileged_userns') === 1)
    return {
      cause: 'apparmor-userns',
      because: 'AppArmor takes the capabilities in it away, as Ubuntu does since 23.10: kernel.apparmor_restrict_unprivileged_userns is 1',
      remedy: allowUserNamespacesInAppArmor(facts),
    }
  if (error === 'EPERM' && facts.isChrooted)
    return {
      cause: 'chroot',
      because: 'the kernel gives none to a process whose root directory was changed',
      remedy: 'Start this program outside the chroot, or enter it with pivot_root.',
    }
  return blockOf(facts, attempt, demand)
}
