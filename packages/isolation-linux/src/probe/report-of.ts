import { cgroups } from './cgroups.ts'
import { type Facts, factsOf } from './facts.ts'
import { landlock, landlockAbi } from './landlock.ts'
import { mountCalls } from './mounts.ts'
import { namespaces } from './namespaces.ts'
import type { Observations } from './observations.ts'
import { processes, tracing } from './processes.ts'
import { ground, strace } from './programs.ts'
import type { Finding, ProbeReport } from './report.ts'
import { findingIds } from './report.ts'
import { seccomp } from './seccomp.ts'
import { tierOf } from './tier.ts'
import { userNamespaces } from './user-namespaces.ts'

/** Says what observations mean. A pure function: the same report on every machine. */
export function reportOf(observations: Observations, durationMs = 0): ProbeReport {
  const facts = factsOf(observations)
  const findings = inOrder(observations.platform === 'linux' ? findingsOf(facts) : elsewhere(facts))
  return {
    platform: observations.platform,
    architecture: observations.architecture,
    kernel: observations.release,
    libc: observations.libc,
    uid: observations.uid,
    surroundings: facts.surroundings,
    landlockAbi: landlockAbi(facts),
    findings,
    ...tierOf(facts, findings),
    durationMs,
  }
}

function findingsOf(facts: Facts): readonly Finding[] {
  return [
    ...ground(facts),
    userNamespaces(facts),
    ...namespaces(facts),
    ...mountCalls(facts),
    landlock(facts),
    ...seccomp(facts),
    ...processes(facts),
    ...cgroups(facts),
    tracing(facts),
    strace(facts),
  ]
}

/** On another platform: the same shape, nothing of it tried. */
function elsewhere(facts: Facts): readonly Finding[] {
  const [platform] = ground(facts)
  const rest = findingsOf(facts).filter(({ id }) => id !== 'platform')
  return [
    ...(platform === undefined ? [] : [platform]),
    ...rest.map(({ id, what }): Finding => ({ id, what, status: 'unknown', detail: 'It is Linux only.', cause: 'follows' })),
  ]
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => findingIds.indexOf(a.id) - findingIds.indexOf(b.id))
}
