import { describe } from './blocked.ts'
import type { Facts } from './facts.ts'
import type { Attempt } from './observations.ts'
import type { Finding } from './report.ts'

/** The directory of this process in one hierarchy of cgroups. */
export interface CgroupPlace {
  readonly version: 1 | 2
  /** Of version 1, the controller; of version 2, empty. */
  readonly controller: string
  readonly directory: string
}

/** The directories that matter, from /proc/self/cgroup and /proc/self/mountinfo. cgroups(7) */
export function cgroupPlaces(files: Readonly<Record<string, string>>): readonly CgroupPlace[] {
  const mounts = (files['/proc/self/mountinfo'] ?? '').split('\n').flatMap(parseMount)
  return (files['/proc/self/cgroup'] ?? '').split('\n').flatMap((line): readonly CgroupPlace[] => {
    const [, hierarchy, controllers, path] = line.match(/^(\d+):([^:]*):(\/.*)$/) ?? []
    if (path === undefined || controllers === undefined) return []
    const version = hierarchy === '0' && controllers === '' ? 2 : 1
    const names = controllers.split(',')
    const controller = names.find((name) => wanted.includes(name)) ?? ''
    if (version === 1 && controller === '') return []
    const mount = mounts.find(({ type, options }) =>
      version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
    )
    return mount === undefined ? [] : [{ version, controller, directory: below(mount, path) }]
  })
}

/** Limits for a guest and everything it starts. */
export function cgroups(facts: Facts): readonly Finding[] {
  const { files } = facts.observations
  const places = cgroupPlaces(files).map((place, index) => ({ ...place, attempt: attemptAt(facts, index) }))
  const second = version2(
    places.find(({ version }) => version === 2),
    files,
  )
  const first = version1(places.filter(({ version }) => version === 1))
  const isEnough = first.status === 'works' || second.status === 'works'
  // Who has the one does not miss the other.
  return [second, first].map((finding) =>
    finding.status === 'works' || isEnough ? finding : { ...finding, consequence, remedy: remedyFor(facts) },
  )
}

/** The controllers that hold memory, processes and CPU. */
const wanted: readonly string[] = ['memory', 'pids', 'cpu']

const consequence = 'Memory and processes are limited for each process of a guest, not for the guest as a whole.'

interface TriedPlace extends CgroupPlace {
  readonly attempt: Attempt | undefined
}

function attemptAt(facts: Facts, index: number): Attempt | undefined {
  return facts.observations.attempts.find(({ check, value }) => check === 'cgroup' && value === index)
}

function version2(place: TriedPlace | undefined, files: Readonly<Record<string, string>>): Finding {
  const about = { id: 'cgroup-v2', what: 'cgroups, version 2' } as const
  if (place === undefined) return { ...about, status: 'missing', detail: 'They are not mounted.', cause: 'not-installed' }
  const { directory, attempt } = place
  const available = controllersIn(files[`${directory}/cgroup.controllers`])
  const enabled = controllersIn(files[`${directory}/cgroup.subtree_control`])
  if (attempt?.state !== 'works') return notWritable(about, directory, attempt)
  if (!available.some((name) => wanted.includes(name)))
    return {
      ...about,
      status: 'missing',
      detail: `${directory} may be written and has none of ${wanted.join(', ')}: they are not delegated, or version 1 holds them.`,
      cause: 'privileges',
    }
  return {
    ...about,
    status: 'works',
    detail: `One was made in ${directory}. Controllers: ${available.join(', ')}; on for children: ${enabled.length === 0 ? 'none yet' : enabled.join(', ')}.`,
  }
}

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

interface Mount {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

/** proc_pid_mountinfo(5): 36 35 98:0 /root /point options optional... - type source super-options */
function parseMount(line: string): readonly Mount[] {
  const [before, after] = line.split(' - ')
  const [, , , root, point] = before?.split(' ') ?? []
  const [type, , options] = after?.split(' ') ?? []
  if (root === undefined || point === undefined || type === undefined) return []
  return [{ root: octal(root), point: octal(point), type, options: (options ?? '').split(',') }]
}

function octal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** Where a path of the hierarchy lies below a mount that may show only a part of it. */
function below({ root, point }: Mount, path: string): string {
  const isWithin = root === '/' || path === root || path.startsWith(`${root}/`)
  const rest = isWithin ? path.slice(root === '/' ? 0 : root.length) : ''
  return rest === '' || rest === '/' ? point : `${point}${rest}`
}
