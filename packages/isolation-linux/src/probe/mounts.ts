import { type Block, blockOf } from './blocked.ts'
import type { Facts } from './facts.ts'
import { inNamespaces, type Spaced } from './namespaces.ts'
import type { Attempt } from './observations.ts'
import type { Finding, FindingId } from './report.ts'
import { namespaceCalls } from './user-namespaces.ts'

/** What the guest's file system is built with. */
export function mountCalls(facts: Facts): readonly Finding[] {
  return calls.map((call) => inNamespaces(facts, call, (_, attempt) => whoForbids(facts, attempt, call)))
}

function whoForbids(facts: Facts, attempt: Attempt, { demand }: Spaced): Block {
  if (attempt.step === 'pivot_root' && attempt.error === 'EINVAL')
    return {
      cause: 'initramfs',
      because: 'the root of this machine seems to be an initramfs, which cannot be pivoted',
      remedy: 'Start this machine, or this program, from another root file system.',
    }
  return blockOf(facts, attempt, demand)
}

const consequence = 'The read-only file system of the guest cannot be built, so there is no isolation by namespaces.'

/** Who is to blame for each step on the way, native/probe/mounts.c. */
const owners: Readonly<Record<string, FindingId>> = {
  clone: 'mount-namespace',
  identify: 'mount-namespace',
  'be-new': 'mount-namespace',
  mount: 'mount-namespace',
  open_tree: 'open-tree',
  fsopen: 'new-tmpfs',
  fsconfig: 'new-tmpfs',
  fsmount: 'new-tmpfs',
  move_mount: 'move-mount',
}

function call(id: FindingId, what: string, since: string): Spaced {
  const foreignSteps = Object.fromEntries(Object.entries(owners).filter(([, owner]) => owner !== id))
  return { id, what, consequence, demand: { since, option: 'CONFIG_NAMESPACES and CONFIG_TMPFS', calls: namespaceCalls }, foreignSteps }
}

const calls = [
  call('open-tree', 'copies of mounts (open_tree)', '5.2'),
  call('mount-setattr', 'read-only copies of mounts (mount_setattr)', '5.12'),
  call('new-tmpfs', 'file systems without a place yet (fsopen, fsconfig, fsmount)', '5.2'),
  call('move-mount', 'putting a mount in its place (move_mount)', '5.2'),
  call('pivot-root', 'another root directory (pivot_root)', '2.4'),
]
