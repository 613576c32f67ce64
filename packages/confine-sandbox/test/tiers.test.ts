import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type AttackTarget, attacks } from '@confine-sandbox/conformance'
import type { Walls } from '@confine-sandbox/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program, type User, users } from '../../isolation-linux/test/support/launch.ts'

// The attacks on machines that lack what stronger tiers are made of. That each works without isolation is seen in
// denials.test.ts. A wrapper takes the primitives away from the host, the launcher and the guest alike.

const without = program('without')
const attempts = fileURLToPath(new URL('attempts.mjs', import.meta.url))
let target: AttackTarget
let victim: ChildProcess
let close: () => void
let contacts = 0

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-tiers-'))
  // Nobody is in the way but the sandbox: the files are everybody's.
  chmodSync(directory, 0o777)
  writeFileSync(join(directory, 'secret'), 'canary of the host', { mode: 0o666 })
  const [tcp, unix, names] = [listener(), listener(), createSocket('udp4').on('message', () => contacts++)]
  tcp.listen(0, '127.0.0.1')
  unix.listen(join(directory, 'host.sock'))
  names.bind(0, '127.0.0.1')
  await Promise.all([tcp, unix, names].map((server) => once(server, 'listening')))
  close = () => {
    for (const server of [tcp, unix, names]) server.close()
    rmSync(directory, { recursive: true, force: true })
  }
  victim = spawn('sleep', ['600'], { stdio: 'ignore' })
  const port = (tcp.address() as AddressInfo).port
  const [file, unixSocket] = [join(directory, 'secret'), join(directory, 'host.sock')]
  target = { file, directory, port, nameServerPort: names.address().port, unixSocket, pid: victim.pid as number }
})

afterAll(() => {
  victim.kill('SIGKILL')
  close()
})

const bare = { files: 1, network: 1, processes: 1 }
/** Where Landlock is taken away on top, some of the attacks say what all of them would. */
const some = ['read-file-async', 'connect-unix-socket', 'bind-udp', 'signal-process', 'spawn']
const machines: readonly { lacks: string; as: User; tier: string; minIsolation?: object; only?: readonly string[] }[] = [
  // As root with everything they are in denials.test.ts.
  { lacks: 'ptrace', as: 'nobody', tier: 'full' },
  { lacks: 'landlock', as: 'root', tier: 'full', only: some },
  { lacks: 'user-namespaces', as: 'root', tier: 'no-user-namespaces-root' },
  { lacks: 'user-namespaces,landlock', as: 'root', tier: 'no-user-namespaces-root', only: some },
  { lacks: 'namespaces', as: 'root', tier: 'landlock-seccomp' },
  { lacks: 'namespaces,landlock', as: 'root', tier: 'landlock-seccomp', minIsolation: bare, only: some },
  { lacks: 'namespaces', as: 'nobody', tier: 'landlock-seccomp' },
  { lacks: 'new-mount-api', as: 'root', tier: 'landlock-seccomp', only: some },
  { lacks: 'namespaces,landlock', as: 'nobody', tier: 'landlock-seccomp', minIsolation: bare, only: some },
]
const reached = machines.filter(({ as }) => users.some((user) => user === as))

describe.concurrent.each(reached)('launched by $as on a machine without $lacks', ({ lacks, as, tier, minIsolation, only }) => {
  test(`every attack ends the guest, in the tier ${tier}`, async () => {
    const outcomes = await attemptAll(as, lacks, { minIsolation }, only)
    expect(outcomes.map(({ id }) => id).sort()).toEqual([...(only ?? attacks.map(({ id }) => id))].sort())
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ tier, code: 'ERR_CONFINE_GUEST_ENDED', end: 'violation', signal: 'SIGSYS' })
    for (const { because } of outcomes) expect(because).toHaveLength(tiers.indexOf(tier))
    expect(contacts).toBe(0)
    expect(victim.signalCode).toBeNull()
    expect(readdirSync(target.directory).sort()).toEqual(['host.sock', 'secret'])
  })
})

describe('the bar', () => {
  const one = [attacks[0]?.id as string]

  test('of two walls is not reached without namespaces and Landlock: no source is sent, and what to do is said', async () => {
    for (const as of users) {
      const [outcome] = await attemptAll(as, 'namespaces,landlock', {}, one)
      expect(outcome).toMatchObject({ code: 'ERR_CONFINE_SETUP_FAILED' })
      expect(outcome?.message).toMatch(/does not hold files by 2 \(seccomp-notify\)/)
      expect(outcome?.message).toMatch(/user-ns[^:]*: .*seccomp.* landlock: .*minIsolation\.?$/s)
    }
  })

  test('can be lowered in writing, and raised', async () => {
    const as = users[0]
    expect(await attemptAll(as, 'namespaces,landlock', { minIsolation: { files: 1, processes: 1 } }, one)).toMatchObject([
      { end: 'violation', walls: { files: ['seccomp-notify'] } },
    ])
    expect(await attemptAll(as, 'namespaces', { minIsolation: { files: 3 } }, one)).toMatchObject([
      { code: 'ERR_CONFINE_SETUP_FAILED', message: expect.stringMatching(/files by 3 \(landlock-\d+, seccomp-notify\)/) as string },
    ])
  })

  test.each([
    ['seccomp-notify', /gVisor/],
    ['close-range', /descriptors/],
    ['pidfd', /pidfd/],
  ])('is no matter without %s: that fails by itself', async (lacks, remedy) => {
    for (const as of users) {
      const [outcome] = await attemptAll(
        as,
        lacks,
        { minIsolation: { files: 0, network: 0, processes: 0, privileges: 0, syscalls: 0 } },
        one,
      )
      expect(outcome).toMatchObject({ code: 'ERR_CONFINE_SETUP_FAILED', message: expect.stringMatching(remedy) as string })
    }
  })
})

const tiers = ['full', 'no-user-namespaces-root', 'landlock-seccomp']

interface Outcome {
  readonly id: string
  readonly code?: string
  readonly end?: string
  readonly message?: string
  readonly signal?: string
  readonly tier?: string
  readonly because?: readonly string[]
  readonly walls?: Walls
}

/** Runs the attacks in a host of its own, as somebody, on a machine that lacks something. */
async function attemptAll(as: User, lacks: string, options: object, only?: readonly string[]): Promise<readonly Outcome[]> {
  const argv = [
    ...[without, lacks, '--'],
    ...(as === 'nobody' ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []),
    ...[process.execPath, attempts, JSON.stringify(options), JSON.stringify(target)],
    ...(only === undefined ? [] : [JSON.stringify(only)]),
  ]
  const { stdout } = await promisify(execFile)(argv[0] as string, argv.slice(1), { maxBuffer: 1 << 22 })
  return JSON.parse(stdout) as Outcome[]
}

function listener(): Server {
  return createServer((socket) => {
    contacts++
    socket.on('error', () => {})
    socket.end()
  })
}
