import { type CgroupPlace, cgroupPlaces, wantedControllers } from '../cgroup-places.ts'
import { type CgroupParent, cgroupParents } from '../cgroup-parents.ts'
import { describe } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import type { Finding } from './report.ts'

/** Limits for a guest and everything it starts. */
export function cgroups(facts: Facts): readonly Finding[] {
  const { files, uid } = facts.observations
  const places = cgroupPlaces(files).map((place, index) => ({ ...place, attempt: attemptAt(facts, index) }))
  const second = version2(
    places.find(({ version }) => version === 2),
    files,
    cgroupParents({ read: (path) => files[path], isWritable: () => true, isRoot: uid === 0 }).find(({ kind }) => kind === 'v2'),
  )
  const first = version1(places.filter(({ version }) => version === 1))
  const isEnough = first.status === 'works' || second.status === 'works'
  // Who has the one does not miss the other.
  return [second, first].map((finding) =>
    finding.status === 'works' || isEnough ? finding : { ...finding, consequence, remedy: remedyFor(facts) },
  )
}

const consequence = 'Memory and processes are limited for each process of a guest, not for the guest as a whole.'

interface TriedPlace extends CgroupPlace {
  readonly attempt: Attempt | undefined
}

function attemptAt(facts: Facts, index: number): Attempt | undefined {
  return facts.observations.attempts.find(({ check, value }) => check === 'cgroup' && value === index)
}

function version2(place: TriedPlace | undefined, files: Readonly<Record<string, string>>, parent: CgroupParent | undefined): Finding {
  const about = { id: 'cgroup-v2', what: 'cgroups, version 2' } as const
  if (place === undefined) return { ...about, status: 'missing', detail: 'They are not mounted.', cause: 'not-installed' }
  const { directory, attempt } = place
  const available = controllersIn(files[`${directory}/cgroup.controllers`])
  if (attempt?.state !== 'works') return notWritable(about, directory, attempt)
  if (!available.some((name) => wantedControllers.includes(name)))
    return {
      ...about,
      status: 'missing',
      detail: `${directory} may be written and has none of ${wantedControllers.join(', ')}: they are not delegated, or version 1 holds them.`,
      cause: 'privileges',
    }
  const made = `One was made in ${directory}. Controllers: ${available.join(', ')}`
  if (parent === undefined) return { ...about, status: 'missing', detail: `${made}. Guests get none: ${whatItTakes}`, cause: 'privileges' }
  const enabled = controllersIn(files[`${parent.directory}/cgroup.subtree_control`])
  return { ...about, status: 'works', detail: `${made}. Guests get theirs in ${parent.directory}: ${enabled.join(', ')}.` }
}

const whatItTakes =
  'the cgroup around that of this process must have memory or pids on for its children, be no slice of systemd (for root), ' +
  'and this process must have no limit of memory or CPU of its own that guests beside it would get away from.'

function version1(places: readonly TriedPlace[]): Finding {
  const about = { id: 'cgroup-v1', what: 'cgroups, version 1' } as const
  const [any] = places
  if (any === undefined) return { ...about, status: 'missing', detail: 'They are not mounted.', cause: 'not-installed' }
  const writable = places.filter(({ attempt }) => attempt?.state === 'works')
  const controllers = [...new Set(writable.map(({ controller }) => controller))]
  if (!controllers.includes('memory')) {
    const memory = places.find(({ controller }) => controller === 'memory') ?? any
    return notWritable(about, memory.directory, memory.attempt)
  }
  return { ...about, status: 'works', detail: `One was made for each of ${controllers.join(', ')}, beside that of this process.` }
}

function notWritable(about: Pick<Finding, 'id' | 'what'>, directory: string, attempt: Attempt | undefined): Finding {
  const detail = `${describe(attempt)} in ${directory}: this user may not make cgroups there.`
  if (attempt?.state !== 'failed') return { ...about, status: 'unknown', detail: `${describe(attempt)}: ${directory}.`, cause: 'unknown' }
  return { ...about, status: 'missing', detail, cause: 'privileges' }
}

function remedyFor(facts: Facts): string {
  if (facts.isInContainer)
    return 'Give the container a writable cgroup of its own: a private cgroup namespace, and /sys/fs/cgroup mounted read-write.'
  return "Start this program in a delegated cgroup: 'systemd-run --user --scope --property=Delegate=yes <command>', or as root."
}

function controllersIn(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter(Boolean)
}
