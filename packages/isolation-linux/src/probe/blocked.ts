import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import { newerKernel, otherKernel, otherSeccompProfile, otherSecurityContext, outsideGvisor, see, wsl2 } from './remedies.ts'
import type { Cause, Finding, ProbeStatus } from './report.ts'

/** What a primitive asks of a machine. */
export interface Demand {
  /** The first kernel that has it: `5.13`. */
  readonly since: string
  /** The build option that brings it. */
  readonly option: string
  /** The system calls that a seccomp profile must allow. */
  readonly calls: string
}

/** What blocks something, in words, and what to do about it. */
export interface Block {
  readonly cause: Cause
  readonly because: string
  readonly remedy?: string
}

/** Names what most likely blocks a primitive that failed, from its errno and from what else is known. */
export function blockOf(facts: Facts, attempt: Attempt, { since, option, calls }: Demand): Block {
  const { error } = attempt
  const isUnknownToKernel = error === 'ENOSYS' || error === 'EINVAL'
  if (facts.isIn('gvisor')) return { cause: 'gvisor', because: 'gVisor does not have it', remedy: outsideGvisor }
  if (facts.isIn('wsl1')) return { cause: 'wsl1', because: 'WSL 1 does not have it', remedy: wsl2 }
  if (isUnknownToKernel && facts.isOlderThan(since))
    return {
      cause: 'kernel-version',
      because: `it came with Linux ${since}, and this is ${facts.observations.release}`,
      remedy: newerKernel(since),
    }
  if (facts.isFiltered && (error === 'EPERM' || isUnknownToKernel || attempt.state === 'killed'))
    return { cause: 'seccomp-profile', because: 'the seccomp filter on this process forbids it', remedy: otherSeccompProfile(facts, calls) }
  if (isUnknownToKernel) return { cause: 'kernel-configuration', because: 'this kernel was built without it', remedy: otherKernel(option) }
  if ((error === 'EPERM' || error === 'EACCES') && facts.securityContext !== undefined)
    return {
      cause: 'security-module',
      because: `the security profile of this process, ${facts.securityContext}, seems to forbid it`,
      remedy: otherSecurityContext(facts),
    }
  return { cause: 'unknown', because: 'the kernel does not say why' }
}

/** How an attempt ended, as the first half of a sentence. */
export function describe(attempt: Attempt | undefined): string {
  switch (attempt?.state) {
    case 'works':
      return 'It works'
    case 'failed':
      return attempt.error === '' ? `${stepName(attempt.step)} had no effect` : `${stepName(attempt.step)} failed with ${attempt.error}`
    case 'killed':
      return `The process that tried it was killed by signal ${attempt.value}`
    case 'late':
      return 'It did not end in time'
    case 'untried':
      return `No process could be had to try it${attempt.error === '' ? '' : `: ${attempt.error}`}`
    case undefined:
      return 'It was not tried'
  }
}

/** Failed and killed are answers; the rest is none. */
export function statusOf(attempt: Attempt | undefined): ProbeStatus {
  if (attempt?.state === 'works') return 'works'
  return attempt?.state === 'failed' || attempt?.state === 'killed' ? 'missing' : 'unknown'
}

/** The finding for a primitive that is tried in one place and has no story of its own. */
export function plainFinding(
  facts: Facts,
  attempt: Attempt | undefined,
  about: Pick<Finding, 'id' | 'what'> & { readonly consequence: string; readonly works?: string },
  demand: Demand,
  block: Block | undefined = attempt && blockOf(facts, attempt, demand),
): Finding {
  const { id, what, consequence, works = 'It was done.' } = about
  const status = statusOf(attempt)
  if (status === 'works') return { id, what, status, detail: works }
  if (attempt === undefined || block === undefined)
    return { id, what, status: 'unknown', detail: 'It was not tried.', cause: 'follows', consequence, remedy: see('probe-program') }
  if (status === 'unknown')
    return { id, what, status: 'unknown', detail: `${describe(attempt)}.`, cause: 'unknown', consequence, remedy: 'Run the probe again.' }
  return {
    id,
    what,
    status,
    detail: `${describe(attempt)}: ${block.because}.`,
    cause: block.cause,
    consequence,
    ...(block.remedy === undefined ? {} : { remedy: block.remedy }),
  }
}

function stepName(step: string): string {
  return stepNames[step] ?? (/^[a-z0-9_]+$/.test(step) ? `${step}()` : step)
}

/** Steps that are not named after their system call. native/probe */
const stepNames: Readonly<Record<string, string>> = {
  identify: 'Reading /proc/self/ns',
  'be-new': 'clone() with new namespaces',
  'be-first': 'Being process 1',
  setgroups: 'Writing /proc/<pid>/setgroups',
  uid_map: 'Writing /proc/<pid>/uid_map',
  gid_map: 'Writing /proc/<pid>/gid_map',
  capability: 'Using a capability in it',
  version: 'landlock_create_ruleset()',
  create: 'landlock_create_ruleset()',
  restrict: 'landlock_restrict_self()',
  enforce: 'Having an effect',
  sizes: 'seccomp(SECCOMP_GET_NOTIF_SIZES)',
  install: 'seccomp(SECCOMP_SET_MODE_FILTER)',
  receive: 'Receiving a call',
  answer: 'Answering a call',
  add: 'Handing over a descriptor',
  seize: 'ptrace(PTRACE_SEIZE)',
  interrupt: 'ptrace(PTRACE_INTERRUPT)',
  stop: 'ptrace(PTRACE_INTERRUPT)',
  set: 'prctl(PR_SET_NO_NEW_PRIVS)',
  keep: 'prctl(PR_SET_NO_NEW_PRIVS)',
  start: 'Starting a process',
  wait: 'Waiting for a process',
}
