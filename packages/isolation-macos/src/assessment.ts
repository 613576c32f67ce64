import type { Assessment, MissingLayer, Policy } from '@confine-sandbox/contract'

/** How Seatbelt holds a policy. What stands in `by` says also where it is coarser than the policy. */
export function assessmentOf(policy: Policy, hardened: boolean, missing: readonly MissingLayer[]): Assessment {
  if (missing.length > 0) return { backend: 'macos', parts: nothingHeld, missing }
  const fatal = policy.onViolation === 'kill'
  return {
    backend: 'macos',
    parts: {
      files: {
        hold: 'coarse',
        by: [
          policy.write.length > 0 ? 'Seatbelt: reads and writes by list' : 'Seatbelt: reads by list, no writes',
          'bootRead stays readable, read-only, for the whole life of the guest: there is no lock',
          "the system's libraries are readable, and the names in / can be listed",
          ...(fatal
            ? [`a forbidden read fails with EPERM and does not kill; ${policy.write.length > 0 ? 'nor does a write' : 'a write kills'}`]
            : []),
        ],
      },
      network: { hold: 'exact', by: ['Seatbelt: no network'] },
      processes: {
        hold: 'coarse',
        by: [
          'Seatbelt: no fork, exec of node alone, signals and process information of the guest itself',
          'RLIMIT_NPROC: no fork (not of root)',
          ...(policy.threads ? [] : ['threads cannot be forbidden']),
          "a raw sysctl (KERN_PROCARGS2) shows arguments and environment of this user's other processes",
        ],
      },
      privileges: {
        hold: 'coarse',
        by: ['Seatbelt: no set-user-ID program can be run', 'the guest keeps the user of the host: do not run the host as root'],
      },
      syscalls: hardened
        ? { hold: 'coarse', by: ['Seatbelt: system calls by list', 'Mach traps and MIG routines are not on a list'] }
        : { hold: 'none', by: [] },
    },
    missing,
  }
}

const nothing = { hold: 'none', by: [] } as const
const nothingHeld: Assessment['parts'] = { files: nothing, network: nothing, processes: nothing, privileges: nothing, syscalls: nothing }
