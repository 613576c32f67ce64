import type { PolicyPart, Walls } from '@confine-sandbox/contract'

/** Which layers in force hold which part of a policy, each of them by itself. */
export function wallsOf(layers: readonly string[]): Walls {
  const abi = landlockAbi(layers)
  const landlock = (since: number) => (abi >= since ? [`landlock-${abi}`] : [])
  const inForce = (...names: string[]) => names.filter((name) => layers.includes(name))
  // With files granted the filter lets paths pass, whatever they are; it is then that the guest may have new descriptors.
  const filter = layers.includes('no-new-descriptors') ? inForce('seccomp-notify') : []
  // A mount namespace of its own is a wall once the root in it is the guest's.
  const root = layers.includes('mount-ns') ? inForce('read-only-root') : []
  return {
    files: [...root, ...landlock(root.length > 0 ? 1 : truncation), ...filter],
    // Never by Landlock: it knows TCP, and a datagram carries as much out.
    network: inForce('net-ns', 'no-new-descriptors', 'seccomp-notify'),
    processes: [...inForce('pid-ns', 'own-uid', 'seccomp-notify'), ...landlock(signalScope)],
    privileges: inForce('user-ns', 'no-capabilities', 'no-new-privs', 'seccomp-notify'),
    syscalls: inForce('seccomp-notify'),
  } satisfies Record<PolicyPart, readonly string[]>
}

/**
 * Before ABI 3 Landlock lets truncate(2) pass, which in the host's root empties what it was to protect; in one of its own
 * there is nothing to empty. Of no ABI it hides names and sizes or keeps modes: what it holds is content. landlock(7)
 */
const truncation = 3

/** Landlock keeps signals within its domain since ABI 6, and gates executing since ABI 1. landlock(7) */
const signalScope = 6

function landlockAbi(layers: readonly string[]): number {
  const layer = layers.find((name) => /^landlock-\d+$/.test(name))
  return layer === undefined ? 0 : Number(layer.slice('landlock-'.length))
}
