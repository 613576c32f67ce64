import type { Architecture } from './syscall-numbers.ts'
import { type FilterPolicy, syscallRules } from './syscall-rules.ts'

/** What becomes of the system calls of a locked guest, by name, sorted. What is not named is reported. */
export interface SyscallSummary {
  /** Done by the kernel, whatever the arguments. */
  readonly allowed: readonly string[]
  /** Done with some arguments and not with others. */
  readonly checked: readonly string[]
  /** Refused without a word: Node or its libraries try them by themselves and live without. */
  readonly refused: readonly string[]
  /** A violation: reported, and by default the end of the guest. */
  readonly reported: readonly string[]
  /** The end of the guest at once: only exploits make them. */
  readonly killed: readonly string[]
}

/** Reads the table of system calls that a policy comes to. A pure function. */
export function syscallSummary(policy: FilterPolicy, architecture: Architecture): SyscallSummary {
  const summary = {
    allowed: [] as string[],
    checked: [] as string[],
    refused: [] as string[],
    reported: [] as string[],
    killed: [] as string[],
  }
  for (const [name, rule] of syscallRules(policy, architecture)) {
    if (rule.action === 'allow') summary.allowed.push(name)
    else if (rule.action === 'kill') summary.killed.push(name)
    else if (rule.action === 'fail') summary.refused.push(name)
    else if ((rule.passes ?? []).length > 0) summary.checked.push(name)
    else if (rule.answers.some(({ isViolation }) => isViolation)) summary.reported.push(name)
    else summary.refused.push(name)
  }
  for (const names of Object.values(summary)) names.sort()
  return summary
}
