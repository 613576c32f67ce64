import { type Block, blockOf, type Demand, plainFinding } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import type { Finding } from './report.ts'

/** Landlock, the second wall for files, TCP and signals. */
export function landlock(facts: Facts): Finding {
  const attempt = facts.attempt('landlock')
  const abi = landlockAbi(facts)
  const finding = plainFinding(
    facts,
    attempt,
    {
      id: 'landlock',
      what: 'Landlock',
      works: `ABI ${abi}: a process gave up listing directories.`,
      consequence: 'Files and network are held by one wall less; without namespaces nothing but seccomp is left.',
    },
    demand,
    attempt && whoForbids(facts, attempt),
  )
  const open = notHeld(abi)
  return finding.status !== 'works' || open === undefined ? finding : { ...finding, consequence: open }
}

/** The ABI that works, 0: none. */
export function landlockAbi(facts: Facts): number {
  return facts.works('landlock') ? (facts.attempt('landlock')?.value ?? 0) : 0
}

const demand: Demand = {
  since: '5.13',
  option: 'CONFIG_SECURITY_LANDLOCK',
  calls: 'landlock_create_ruleset, landlock_add_rule and landlock_restrict_self',
}

function whoForbids(facts: Facts, attempt: Attempt): Block {
  if (attempt.error !== 'EOPNOTSUPP') return blockOf(facts, attempt, demand)
  return {
    cause: 'boot-parameters',
    because: 'the kernel has it and did not switch it on at boot',
    remedy:
      'Add landlock to the list lsm= on the command line of the kernel: its own list stands in /sys/kernel/security/lsm. Then boot again.',
  }
}

/** landlock(7), the table of ABIs */
function notHeld(abi: number): string | undefined {
  const missing = [
    ...(abi < 3 ? ['truncating files (ABI 3, Linux 6.2)'] : []),
    ...(abi < 4 ? ['TCP (ABI 4, Linux 6.7)'] : []),
    ...(abi < 6 ? ['abstract sockets and signals (ABI 6, Linux 6.12)'] : []),
  ]
  return missing.length === 0 ? undefined : `It does not hold ${missing.join(', ')}: these are held by one wall less.`
}
