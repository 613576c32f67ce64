import type { Assessment, MissingLayer } from '@confine-sandbox/contract'
import type { Machine } from './machine.ts'
import type { Finding, FindingId, ProbeReport } from './probe/report.ts'
import { wallsOf } from './walls.ts'

/** Without one of these no guest can be started here. Starts nothing. */
export function missingGround(machine: Machine, launcher: string): readonly MissingLayer[] {
  if (machine.platform !== 'linux')
    return [
      {
        layer: 'platform',
        reason: `This backend confines on Linux only, and this is ${machine.platform}.`,
        remedy: 'Use the backend of your platform, or run on Linux.',
      },
    ]
  if (machine.architecture !== 'x64' && machine.architecture !== 'arm64')
    return [
      {
        layer: 'architecture',
        reason: `System calls are known for x64 and arm64, and this node is built for ${machine.architecture}.`,
        remedy: 'Run a node that is built for one of them.',
      },
    ]
  if (machine.isExecutable(launcher)) return []
  return [
    {
      layer: 'launcher',
      reason: `There is no launcher that can be executed at ${launcher}.`,
      remedy: 'Install @confine-sandbox/isolation-linux again, on a file system that is not mounted noexec; in a clone, run npm run build.',
    },
  ]
}

/** No guest can be started. */
export function noAssessment(missing: readonly MissingLayer[]): Assessment {
  return { backend: 'linux', parts: partsOf([]), missing }
}

/** How the launcher will hold a policy on a machine of which this is known. What holds in the end is what it reports. */
export function assessmentOf(report: ProbeReport): Assessment {
  return { backend: 'linux', parts: partsOf(layersOf(report)), missing: missingLayers(report) }
}

/** Each wall holds its part by the letter; without one there is nothing. */
function partsOf(layers: readonly string[]): Assessment['parts'] {
  const { files, network, processes, privileges, syscalls } = wallsOf(layers)
  const part = (by: readonly string[]) => ({ hold: by.length > 0 ? 'exact' : 'none', by }) as const
  return { files: part(files), network: part(network), processes: part(processes), privileges: part(privileges), syscalls: part(syscalls) }
}

/** What the launcher puts in force in a tier, native/tiers.c. */
function layersOf({ tier, landlockAbi, uid }: ProbeReport): readonly string[] {
  if (tier === 'none') return []
  const always = ['no-capabilities', 'no-new-privs', 'seccomp-notify', 'no-new-descriptors']
  const landlock = landlockAbi > 0 ? [`landlock-${landlockAbi}`] : []
  const spaces = ['mount-ns', 'pid-ns', 'net-ns', 'ipc-ns', 'uts-ns', 'cgroup-ns', 'read-only-root']
  if (tier === 'full') return ['user-ns', ...spaces, ...always, ...landlock]
  return [...(tier === 'landlock-seccomp' ? [] : spaces), ...always, ...(uid === 0 ? ['own-uid'] : []), ...landlock]
}

/** What stands in the way of the strongest tier, then what is weak in the one that is left. */
function missingLayers({ tier, landlockAbi, findings, blockers, kernel }: ProbeReport): readonly MissingLayer[] {
  const find = (id: FindingId) => findings.find((finding) => finding.id === id)
  const missing = blockers.flatMap((id) => toLayer(find(id)))
  const landlock = find('landlock')
  if (landlock !== undefined && landlock.status !== 'works') missing.push(...toLayer(landlock))
  else if (tier === 'landlock-seccomp' && landlockAbi < signalAbi)
    missing.push({
      layer: `landlock-${signalAbi}`,
      reason: `The Landlock of Linux ${kernel} has ABI ${landlockAbi}: ${landlock?.consequence ?? ''}`,
      remedy: 'Use Linux 6.12 or newer.',
    })
  return together(missing)
}

/** What has the same remedy is one thing to do. */
function together(missing: readonly MissingLayer[]): readonly MissingLayer[] {
  const remedies = [...new Set(missing.map(({ remedy }) => remedy))]
  return remedies.map((remedy) => {
    const same = missing.filter((one) => one.remedy === remedy)
    return { layer: same.map(({ layer }) => layer).join(', '), reason: same[0]?.reason ?? '', remedy }
  })
}

/** The first one that keeps signals within the guest. */
const signalAbi = 6

function toLayer(finding: Finding | undefined): MissingLayer[] {
  if (finding === undefined) return []
  const { id, what, detail, remedy } = finding
  return [{ layer: layerNames[id] ?? id, reason: `${what}: ${detail}`, remedy: remedy ?? '' }]
}

/** What the launcher calls the layer that a finding is about. */
const layerNames: Readonly<Partial<Record<FindingId, string>>> = Object.freeze({
  'user-namespaces': 'user-ns',
  'mount-namespace': 'mount-ns',
  'pid-namespace': 'pid-ns',
  'network-namespace': 'net-ns',
  'ipc-namespace': 'ipc-ns',
  'uts-namespace': 'uts-ns',
  'cgroup-namespace': 'cgroup-ns',
})
