import { type Block, blockOf, type Demand, plainFinding } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import { setSysctl } from './remedies.ts'
import type { Finding } from './report.ts'

/** What the launcher does to processes. */
export function processes(facts: Facts): readonly Finding[] {
  return [
    plainFinding(
      facts,
      facts.attempt('no-new-privs'),
      {
        id: 'no-new-privs',
        what: 'giving up privileges to come (no_new_privs)',
        consequence: 'No guest can be started: a program with the setuid bit would raise its privileges.',
      },
      { since: '3.5', option: 'prctl(PR_SET_NO_NEW_PRIVS)', calls: 'prctl' },
    ),
    plainFinding(
      facts,
      facts.attempt('pidfd'),
      {
        id: 'pidfd',
        what: 'handles for processes (pidfd)',
        consequence: 'No guest can be started: a process id could be given to somebody else before the guest is ended.',
      },
      { since: '5.3', option: 'pidfd_open', calls: 'clone, pidfd_open and pidfd_send_signal' },
    ),
    plainFinding(
      facts,
      facts.attempt('close-range'),
      {
        id: 'close-range',
        what: 'closing ranges of descriptors (close_range)',
        consequence: 'No guest can be started: descriptors of the host could stay open in it.',
      },
      { since: '5.9', option: 'close_range', calls: 'close_range' },
    ),
    processMemory(facts),
  ]
}

/** ptrace, which only the strace program needs. */
export function tracing(facts: Facts): Finding {
  const attempt = facts.attempt('ptrace')
  const demand: Demand = { since: '3.4', option: 'ptrace', calls: 'ptrace' }
  return plainFinding(
    facts,
    attempt,
    {
      id: 'ptrace',
      what: 'tracing another process (ptrace)',
      works: 'A process stopped another.',
      consequence: 'The strace program cannot trace a guest.',
    },
    demand,
    attempt && (yama(facts, attempt) ?? blockOf(facts, attempt, demand)),
  )
}

/** The supervisor reads which path the guest means. It owns the guest's user namespace, where there is one. */
function processMemory(facts: Facts): Finding {
  const inUser = facts.attempt('process-memory', 'user')
  const attempt = inUser?.state === 'works' ? inUser : facts.attempt('process-memory')
  const demand: Demand = { since: '3.2', option: 'CONFIG_CROSS_MEMORY_ATTACH', calls: 'process_vm_readv' }
  return plainFinding(
    facts,
    attempt,
    {
      id: 'process-memory',
      what: 'reading the memory of a child (process_vm_readv)',
      works: 'A process read the memory of another.',
      consequence: 'No guest can be started: the supervisor would not see the guest ask for its lock.',
    },
    demand,
    attempt && (yama(facts, attempt) ?? blockOf(facts, attempt, demand)),
  )
}

/** Documentation/admin-guide/LSM/Yama.rst: 1 allows it with descendants, 3 cannot be undone without a boot. */
function yama(facts: Facts, { error }: Attempt): Block | undefined {
  const scope = facts.sysctl('kernel/yama/ptrace_scope') ?? 0
  if (error !== 'EPERM' || scope < 2) return undefined
  return {
    cause: 'sysctl-yama-ptrace-scope',
    because: `Yama forbids it: kernel.yama.ptrace_scope is ${scope}`,
    remedy:
      scope === 2 ? setSysctl(facts, 'kernel.yama.ptrace_scope', 1) : 'Set kernel.yama.ptrace_scope to 1 in /etc/sysctl.d, and boot again.',
  }
}
