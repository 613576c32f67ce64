import { spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { cgroupParents, theseFiles } from '../src/cgroup-parents.ts'
import { architecture, type End, launch, locked, lockPath, program, run, users } from './support/launch.ts'

// Launchers that leave out one layer each and say that they have it. For each of them something is red: what is said is
// looked at before the guest is used, and where nothing can be seen an act gets through that the published one refuses.

const native = fileURLToPath(new URL('../native', import.meta.url))
/** In place of the published launcher. */
const instead = (layer: string) => {
  const launcher = `${native}/build/test-${architecture}/launch-without-${layer}`
  return ['/bin/sh', '-c', `shift; exec ${launcher} "$@"`, 'sh']
}

beforeAll(() => {
  const made = spawnSync('make', ['-s', '-j4', '-C', native, 'layers'], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`Cannot build the launchers without a layer: ${made.stderr}`)
}, 120_000)

const hasCgroups = cgroupParents(theseFiles).some(({ kind }) => kind !== 'pids')
const hello = locked("say('hello')")

describe.each(users)('launched by %s', (as) => {
  test.each<[string, string, RegExp]>([
    ['PID_NS', 'verify', /a namespace of its own: it is pid:/],
    ['NET_NS', 'verify', /a namespace of its own: it is net:/],
    ['IPC_NS', 'verify', /a namespace of its own: it is ipc:/],
    ['UTS_NS', 'verify', /a namespace of its own: it is uts:/],
    ['CGROUP_NS', 'verify', /a namespace of its own: it is cgroup:/],
    ['READ_ONLY_ROOT', 'verify', /a read-only root: it is writable/],
    ['ROOT', 'verify', /a root of its own: it is the host's/],
    ['NO_CAPABILITIES', 'verify', /Cap\w+ 0{16}: it is /],
    ['NO_NEW_PRIVS', 'seccomp', /Permission denied/], // a filter takes it
    ['LANDLOCK', 'verify', /Landlock: it can list \//],
    ['CLOSED_DESCRIPTORS', 'verify', /no descriptor but 0 to 3: it is \d/],
    ['NO_NESTED_USER_NS', 'verify', /further user namespaces/],
  ])('without %s the launch fails', async (layer, stage, reason) => {
    const end = await run(hello, { as, under: instead(layer) })
    expect(end).toMatchObject({ code: 125, stdout: '' })
    expect(end.events[0]).toMatchObject({ type: 'setup-failed', stage, reason: expect.stringMatching(reason) as string })
  })

  test('without SEALED_DESCRIPTORS there is no lock', async () => {
    const end = await run(hello, { as, under: instead('SEALED_DESCRIPTORS') })
    expect(end).toMatchObject({ code: 125, stdout: '' })
    expect(end.events.map(({ type }) => type)).toEqual(['ready', 'setup-failed'])
  })

  test('without LOCK a socket is had', async () => {
    const socket = locked(
      "dgram.createSocket('udp4').once('error', (error) => say(error.code)).bind(0, () => { say('got'); process.exit() })",
    )
    const attempt = async (under: readonly string[]): Promise<End> => await run(socket, { as, under, onViolation: 'deny' })
    expect(await attempt([])).toMatchObject({ stdout: 'EPERM\n', violations: [{ syscall: 'socket' }] })
    // That there is no descriptor for it is the other wall of the network.
    expect(await attempt(instead('LOCK'))).toMatchObject({ violations: [] })
  })

  test('without HIDDEN_MEMORY another process of the same user can look into the supervisor', async () => {
    const isHidden = async (under: readonly string[]) => {
      const guest = launch(locked('setInterval(() => {}, 1000)'), { as, under })
      await guest.event('locked')
      const supervisor = guest.child.pid as number
      const code = `try { fs.readlinkSync('/proc/${supervisor}/exe'); console.log('seen') } catch (error) { console.log(error.code) }`
      const nobody = as === 'nobody' ? ['--reuid=65534', '--regid=65534', '--clear-groups'] : ['--bounding-set=-all', '--inh-caps=-all']
      const other = spawnSync('/usr/bin/setpriv', [...nobody, process.execPath, '-e', code], { encoding: 'utf8' })
      guest.child.kill('SIGTERM')
      await guest.end
      return other.stdout.trim()
    }
    expect(readlinkSync('/proc/self/exe')).toBe(process.execPath)
    expect(await isHidden([])).toMatch(/^E(ACCES|PERM)$/)
    expect(await isHidden(instead('HIDDEN_MEMORY'))).toBe('seen')
  })
})

test.each(users)('launched by %s, without USER_NS there is no identity to be had in one, and what holds is another tier', async (as) => {
  const end = await run(hello, { as, under: instead('USER_NS') })
  if (as === 'root') expect(end.events).toMatchObject([{ type: 'setup-failed', stage: 'identity' }])
  else
    expect(end.events[0]).toMatchObject({ tier: { name: 'landlock-seccomp' }, layers: expect.not.arrayContaining(['user-ns']) as string[] })
})

test.runIf(users.some((user) => user === 'root'))('without OWN_UID the launch fails where it is to be had', async () => {
  const end = await run(hello, { under: [program('without'), 'user-namespaces', '--', ...instead('OWN_UID')] })
  expect(end).toMatchObject({ code: 125, stdout: '' })
  expect(end.events[0]).toMatchObject({
    type: 'setup-failed',
    stage: 'verify',
    reason: expect.stringMatching(/Uid 18\d+ .*65534/) as string,
  })
})

test.runIf(hasCgroups)('without CGROUPS the guest has memory that nobody else counts', async () => {
  const spread = { file: program('spread'), args: [lockPath, '6144'], env: {} }
  const attempt = async (under: readonly string[]) => await run(spread, { under, threads: true, limits: { memoryMiB: 32 } })
  expect(await attempt([])).toMatchObject({ signal: 'SIGKILL', stdout: '' })
  expect(await attempt(instead('CGROUPS'))).toMatchObject({ code: 0, stdout: '6144\n' })
})
