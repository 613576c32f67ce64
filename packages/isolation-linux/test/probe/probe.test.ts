import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cgroupPlaces } from '../../src/cgroup-places.ts'
import { probe } from '../../src/probe/probe.ts'
import { type Cause, type FindingId, findingIds, type ProbeReport, type Tier } from '../../src/probe/report.ts'
import { architecture, processesWith, program, type User, users } from '../support/launch.ts'

const native = fileURLToPath(new URL('../../native', import.meta.url))
const probeProgram = fileURLToPath(new URL(`../../prebuilds/linux-${architecture}/confine-probe`, import.meta.url))
const module = new URL('../../src/probe/probe.ts', import.meta.url).href
const withoutProgram = program('without')
let directory: string

beforeAll(() => {
  const made = spawnSync('make', [
    '-s',
    '-C',
    native,
    '-f',
    'Makefile',
    '-f',
    'probe/probe.mk',
    `../prebuilds/linux-${architecture}/confine-probe`,
  ])
  if (made.status !== 0) throw new Error(`Cannot build confine-probe: ${made.stderr.toString()}`)
  directory = mkdtempSync(join(tmpdir(), 'confine-probe-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(users)('as %s', (user) => {
  test('with everything: all of it works', async () => {
    const report = await probeAs(user)
    expect(report).toMatchObject({ tier: 'full', blockers: [], platform: 'linux', architecture })
    expect(report.findings.map(({ id }) => id)).toEqual(findingIds)
    expect(ownCauses(report)).toEqual({})
  })

  test.each(machines)('without $without: the tier and the cause', async ({ without, root, others, causes, causesForRoot = causes }) => {
    const report = await probeAs(user, without)
    expect(report.tier).toBe(user === 'root' ? root : others)
    expect(ownCauses(report)).toEqual(user === 'root' ? causesForRoot : causes)
    for (const { cause, remedy, id } of report.findings) {
      if (cause === 'seccomp-profile') expect(remedy, id).toMatch(/seccomp/)
      if (cause === 'boot-parameters') expect(remedy, id).toMatch(/lsm=/)
      if (cause === 'follows') expect(remedy, id).toMatch(/^See /)
    }
  })
})

interface Machine {
  readonly without: string
  readonly root: Tier
  readonly others: Tier
  readonly causes: Partial<Record<FindingId, Cause>>
  readonly causesForRoot?: Partial<Record<FindingId, Cause>>
}

/** What is blocked of its own accord, on a machine that lacks one thing or two. */
const machines: readonly Machine[] = [
  { without: 'user-namespaces', root: 'no-user-namespaces-root', others: 'landlock-seccomp', causes: blockedByFilter('user-namespaces') },
  {
    without: 'namespaces',
    root: 'landlock-seccomp',
    others: 'landlock-seccomp',
    causes: blockedByFilter('user-namespaces'),
    causesForRoot: blockedByFilter(
      'user-namespaces',
      'mount-namespace',
      'pid-namespace',
      'network-namespace',
      'ipc-namespace',
      'uts-namespace',
      'cgroup-namespace',
    ),
  },
  { without: 'mount', root: 'landlock-seccomp', others: 'landlock-seccomp', causes: blockedByFilter('mount-namespace') },
  {
    without: 'new-mount-api',
    root: 'landlock-seccomp',
    others: 'landlock-seccomp',
    causes: blockedByFilter('open-tree', 'mount-setattr', 'new-tmpfs', 'move-mount'),
  },
  { without: 'mount-setattr', root: 'landlock-seccomp', others: 'landlock-seccomp', causes: blockedByFilter('mount-setattr') },
  { without: 'landlock', root: 'full', others: 'full', causes: blockedByFilter('landlock') },
  { without: 'landlock-at-boot', root: 'full', others: 'full', causes: { landlock: 'boot-parameters' } },
  { without: 'seccomp', root: 'none', others: 'none', causes: blockedByFilter('seccomp-filter') },
  { without: 'seccomp-notify', root: 'none', others: 'none', causes: blockedByFilter('seccomp-notify') },
  { without: 'wait-killable', root: 'full', others: 'full', causes: blockedByFilter('seccomp-wait-killable') },
  { without: 'pidfd', root: 'none', others: 'none', causes: blockedByFilter('pidfd') },
  { without: 'close-range', root: 'none', others: 'none', causes: blockedByFilter('close-range') },
  { without: 'process-memory', root: 'none', others: 'none', causes: blockedByFilter('process-memory') },
  { without: 'ptrace', root: 'full', others: 'full', causes: blockedByFilter('ptrace') },
  {
    without: 'user-namespaces,landlock',
    root: 'no-user-namespaces-root',
    others: 'none',
    causes: blockedByFilter('user-namespaces', 'landlock'),
  },
  {
    without: 'user-namespaces,seccomp-notify,ptrace',
    root: 'none',
    others: 'none',
    causes: blockedByFilter('user-namespaces', 'seccomp-notify', 'ptrace'),
  },
]

describe('nothing is left behind', () => {
  // A path of its own, so that other probes on this machine are not counted.
  let mine: string
  beforeAll(() => {
    mine = join(directory, 'confine-probe')
    copyFileSync(probeProgram, mine)
    chmodSync(mine, 0o755)
  })

  test('no process, no cgroup, no mount, and this process is as it was', async () => {
    const before = traces()
    expect(await probe({ program: mine })).toMatchObject({ tier: 'full' })
    expect(traces()).toEqual(before)
    expect(processesWith(mine)).toEqual([])
    await expect.poll(cgroups).toEqual([])
  })

  test('when the host is killed in the middle of it', async () => {
    for (const delayMs of [0, 3, 6, 12]) {
      const code = `import { probe } from ${JSON.stringify(module)}
        void probe({ program: ${JSON.stringify(mine)} })
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${delayMs})`
      const host = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' })
      expect(await once(host, 'close')).toEqual([null, 'SIGKILL'])
    }
    await expect.poll(() => processesWith(mine)).toEqual([])
    await expect.poll(cgroups).toEqual([])
  })
})

describe('programs that are not as they should be', () => {
  test('that are not there, not executable, or for another machine', async () => {
    const noProgram = await probe({ launcher: '/nowhere/confine-launch', program: '/nowhere/confine-probe' })
    expect(noProgram).toMatchObject({ tier: 'none', blockers: ['launcher', 'probe-program'], landlockAbi: 0 })
    expect(find(noProgram, 'launcher')).toMatchObject({
      status: 'missing',
      detail: '/nowhere/confine-launch: it cannot be started, ENOENT.',
    })

    const foreign = join(directory, 'foreign')
    const bytes = readFileSync(probeProgram)
    // EM_RISCV
    bytes[18] = 243
    writeFileSync(foreign, bytes)
    chmodSync(foreign, 0o755)
    expect(find(await probe({ launcher: foreign }), 'launcher')).toMatchObject({
      status: 'missing',
      detail: `${foreign}: it cannot be started, ENOEXEC.`,
    })

    const locked = join(directory, 'not-executable')
    copyFileSync(probeProgram, locked)
    chmodSync(locked, 0o644)
    expect(find(await probe({ launcher: locked }), 'launcher')).toMatchObject({
      status: 'missing',
      detail: expect.stringMatching(/EACCES/) as string,
    })
  })

  test('that never end, or never stop to write', async () => {
    const duration = `60.0${process.pid}`
    const stuck = script('stuck', `exec sleep ${duration}`)
    const report = await probe({ launcher: stuck, program: script('chatty', 'exec yes') })
    expect(find(report, 'launcher')).toMatchObject({ status: 'unknown', detail: `${stuck}: it was ended by SIGKILL.` })
    expect(report).toMatchObject({ tier: 'none', blockers: ['launcher', 'probe-program'] })
    expect(processesWith(duration)).toEqual([])
  })
})

function script(name: string, line: string): string {
  const path = join(directory, name)
  writeFileSync(path, `#!/bin/sh\n${line}\n`)
  chmodSync(path, 0o755)
  return path
}

function find(report: ProbeReport, id: FindingId) {
  return report.findings.find((finding) => finding.id === id)
}

function blockedByFilter(...ids: readonly FindingId[]): Partial<Record<FindingId, Cause>> {
  return Object.fromEntries(ids.map((id) => [id, 'seccomp-profile']))
}

/** What does not work and follows from nothing else. Cgroups and strace are as this machine happens to have them. */
function ownCauses({ findings }: ProbeReport): Record<string, Cause | undefined> {
  const own = findings.filter(({ id, status, cause }) => status !== 'works' && cause !== 'follows' && !/^cgroup-v|^strace$/.test(id))
  return Object.fromEntries(own.map(({ id, cause }) => [id, cause]))
}

/** Runs probe() in a node of its own, as somebody, on a machine that lacks something. */
async function probeAs(user: User, primitives?: string): Promise<ProbeReport> {
  const code = `import { probe } from ${JSON.stringify(module)}; process.stdout.write(JSON.stringify(await probe()))`
  const argv = [
    ...(primitives === undefined ? [] : [withoutProgram, primitives, '--']),
    ...(user === 'nobody' ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []),
    ...[process.execPath, '--input-type=module', '-e', code],
  ]
  const { stdout } = await promisify(execFile)(argv[0] as string, argv.slice(1), { env: { PATH: process.env.PATH ?? '' } })
  return JSON.parse(stdout) as ProbeReport
}

/** What a probe could change of this process and of the machine. */
function traces() {
  const paths = ['/proc/self/cgroup', '/proc/self/mountinfo', '/proc/sys/kernel/hostname']
  const status = readFileSync('/proc/self/status', 'latin1').match(/^(Cap\w+|NoNewPrivs|Seccomp|Uid|Gid):.*$/gm)
  return { files: paths.map((path) => readFileSync(path, 'latin1')), status }
}

/** The cgroups that a probe has made and not removed. */
function cgroups(): readonly string[] {
  const files = Object.fromEntries(['/proc/self/cgroup', '/proc/self/mountinfo'].map((path) => [path, readFileSync(path, 'latin1')]))
  return cgroupPlaces(files).flatMap(({ directory: place }) =>
    existsSync(place) ? readdirSync(place).filter((name) => name.startsWith('confine-probe')) : [],
  )
}
