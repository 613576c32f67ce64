import { type Block, blockOf, type Demand, plainFinding } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import { see } from './remedies.ts'
import type { Finding, FindingId } from './report.ts'

/** Filters for system calls, and the supervisor that decides about single calls. */
export function seccomp(facts: Facts): readonly Finding[] {
  return features.map((feature) => {
    const attempt = facts.attempt(feature.id)
    return plainFinding(facts, attempt, feature, demandOf(feature), attempt && whoForbids(facts, attempt, feature))
  })
}

interface Feature {
  readonly id: FindingId
  readonly what: string
  readonly consequence: string
  readonly works: string
  /** The first kernel that has it. */
  readonly since: string
  /** What it builds on: when that is missing, it is no news that this is. */
  readonly on?: FindingId
}

const features: readonly Feature[] = [
  {
    id: 'seccomp-filter',
    what: 'seccomp filters',
    since: '3.17',
    works: 'A process forbade itself a system call.',
    consequence: 'No guest can be started: there is no tier without a filter.',
  },
  {
    id: 'seccomp-notify',
    what: 'seccomp with user notification',
    since: '5.0',
    on: 'seccomp-filter',
    works: 'A process answered a system call of another.',
    consequence: 'No guest can be started: nobody can lock it, and nobody would see what it tries.',
  },
  {
    id: 'seccomp-continue',
    what: 'seccomp notifications that let a call pass',
    since: '5.5',
    on: 'seccomp-notify',
    works: 'A process let a system call of another pass.',
    consequence: 'No guest can be started: node would not get through its own start.',
  },
  {
    id: 'seccomp-wait-killable',
    what: 'seccomp notifications that signals do not interrupt',
    since: '5.19',
    on: 'seccomp-notify',
    works: 'It was done.',
    consequence: 'A signal can interrupt a call of the guest that is being answered, which then is asked about again.',
  },
  {
    id: 'seccomp-add-descriptor',
    what: 'seccomp notifications that hand over a descriptor',
    since: '5.14',
    on: 'seccomp-notify',
    works: 'A process opened a file for another.',
    consequence: 'The supervisor cannot open files on behalf of a guest.',
  },
]

function demandOf({ since }: Feature): Demand {
  return { since, option: 'CONFIG_SECCOMP_FILTER', calls: 'seccomp' }
}

function whoForbids(facts: Facts, attempt: Attempt, feature: Feature): Block {
  const { on } = feature
  if (on !== undefined && !facts.works(on)) return { cause: 'follows', because: `it takes ${on}`, remedy: see(on) }
  if (attempt.step === 'install' && attempt.error === 'EBUSY')
    return {
      cause: 'listener',
      because: 'a supervisor of another sandbox already listens to this process tree, and a tree has one',
      remedy: 'Start this program outside that sandbox.',
    }
  return blockOf(facts, attempt, demandOf(feature))
}
