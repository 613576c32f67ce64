import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  children,
  environment,
  isAlive,
  type Launch,
  launch,
  locked,
  processesWith,
  program,
  run,
  statusOf,
  type User,
  users,
} from './support/launch.ts'

// The launcher on machines that lack what the stronger tiers are made of. Its word is compared with what the kernel
// says about the guest.

const without = program('without')
const tiers = ['full', 'no-user-namespaces-root', 'landlock-seccomp']
const spaces = ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup']
const endless = locked("setInterval(() => {}, 1000); say('running')")

interface Machine {
  readonly lacks: string
  readonly as: User
  readonly tier: string
  /** The namespaces that are the guest's own. */
  readonly own: readonly string[]
}

const machines: readonly Machine[] = [
  { lacks: 'ptrace', as: 'root', tier: 'full', own: ['user', ...spaces] },
  { lacks: 'ptrace', as: 'nobody', tier: 'full', own: ['user', ...spaces] },
  { lacks: 'user-namespaces', as: 'root', tier: 'no-user-namespaces-root', own: spaces },
  { lacks: 'user-namespaces', as: 'nobody', tier: 'landlock-seccomp', own: [] },
  { lacks: 'namespaces', as: 'root', tier: 'landlock-seccomp', own: [] },
  { lacks: 'namespaces', as: 'nobody', tier: 'landlock-seccomp', own: [] },
  // Namespaces in which nothing may be mounted, as AppArmor makes them on Ubuntu.
  { lacks: 'mount', as: 'root', tier: 'landlock-seccomp', own: [] },
  { lacks: 'mount', as: 'nobody', tier: 'landlock-seccomp', own: [] },
  // Kernels, and profiles, that do not know the mount calls.
  { lacks: 'new-mount-api', as: 'root', tier: 'landlock-seccomp', own: [] },
  { lacks: 'mount-setattr', as: 'nobody', tier: 'landlock-seccomp', own: [] },
]
const reached = machines.filter(({ as }) => users.some((user) => user === as))
const under = (lacks: string) => [without, lacks, '--']

describe.each(reached)('launched by $as on a machine without $lacks', ({ lacks, as, tier, own }) => {
  test('the guest is held as is said', async () => {
    const guest = launch(endless, { as, under: under(lacks) })
    const [, init, node] = await running(guest)
    await guest.event('locked')
    const ready = guest.events.find((event) => event.type === 'ready')
    expect(ready?.tier).toMatchObject({ name: tier, isVerified: true })
    // One word for each tier that was not to be had, what came back, and what can be done.
    expect(ready?.tier?.because.map((why) => why.split(':')[0])).toEqual(tiers.slice(0, tiers.indexOf(tier)))
    for (const why of ready?.tier?.because ?? [])
      expect(why).toMatch(
        /Operation not permitted.*(--security-opt|AppArmor)|Function not implemented.*Linux 5\.12|root with CAP_SYS_ADMIN/,
      )

    const status = statusOf(node)
    const bounding = tier === 'landlock-seccomp' && as !== 'root' ? {} : { CapBnd: none }
    expect(status).toMatchObject({ CapInh: none, CapPrm: none, CapEff: none, CapAmb: none, ...bounding, NoNewPrivs: '1', Seccomp: '2' })
    for (const kind of ['user', ...spaces])
      expect(readlinkSync(`/proc/${node}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`), kind).toBe(own.includes(kind))
    expect(ready?.layers.filter((layer) => /^(user|mount|pid|net|ipc|uts|cgroup)-ns$/.test(layer))).toEqual(
      own.map((kind) => `${kind === 'mnt' ? 'mount' : kind}-ns`),
    )
    expect(readlinkSync(`/proc/${node}/root`)).toBe('/')
    expect(readFileSync(`/proc/${node}/limits`, 'latin1')).toMatch(/^Max open files\s+0\s+0\s/m)
    expect(statusOf(init).Seccomp).toBe('2')

    const uid = Number(status.Uid?.split('\t')[0])
    expect(status.Uid).toBe([uid, uid, uid, uid].join('\t'))
    expect(ready?.layers.includes('own-uid')).toBe(uid >= 0x70000000)
    expect(uid >= 0x70000000).toBe(as === 'root' && tier !== 'full')
    if (as === 'root') expect(status.Groups?.trim()).toBe('')
    guest.child.kill('SIGTERM')
    await guest.end
  })

  test.each([
    ['an exit code', 'process.exit(7)', { code: 7, signal: null }],
    ['an abort', 'process.abort()', { code: null, signal: 'SIGABRT' }],
    ['a forbidden act', "fs.readFileSync('/etc/hostname')", { code: null, signal: 'SIGSYS', violations: [{ path: '/etc/hostname' }] }],
  ])('%s comes through', async (_name, code, end) => {
    expect(await run(locked(code), { as, under: under(lacks) })).toMatchObject(end)
  })

  test('before the lock too the guest reads what it was given, and nothing else', async () => {
    const acts = ['/etc/passwd', '/proc/self/status', '/home', '/tmp'].map(
      (path) => `try { fs.readdirSync('${path}'); console.log('read') } catch (error) { console.log(error.code) }
        try { fs.readFileSync('${path}'); console.log('read') } catch (error) { console.log(error.code) }`,
    )
    const { stdout, code } = await run(
      { file: process.execPath, args: ['-e', acts.join(';')], env: environment },
      { as, under: under(lacks) },
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^((ENOENT|EACCES|ENOTDIR)\n){8}$/)
  })

  test('a forbidden act fails with an errno where onViolation is deny', async () => {
    const code = "attempt(() => fs.readFileSync('/etc/hostname')); net.connect(1, '127.0.0.1').once('error', (error) => say(error.code))"
    expect(await run(locked(code), { as, under: under(lacks), onViolation: 'deny' })).toMatchObject({ code: 0, stdout: 'EACCES\nEPERM\n' })
  })
})

describe.each(reached.filter(({ tier, lacks }) => tier === 'landlock-seccomp' && lacks === 'namespaces'))(
  'without a process namespace nothing is left of what $as launched',
  ({ as, lacks }) => {
    test.each([
      ['supervisor', 0, 'SIGKILL'],
      ['init', 1, 'SIGKILL'],
      ['guest', 2, 'SIGKILL'],
      ['supervisor', 0, 'SIGTERM'],
    ] as const)('when the %s gets a signal', async (_who, index, signal) => {
      const guest = launch(endless, { as, under: under(lacks) })
      const pids = await running(guest)
      process.kill(pids[index], signal)
      expect(await guest.end).toMatchObject({ code: null, signal })
      expect(await allGone(pids)).toBe(true)
    })

    test('when the host lets go of the control socket', async () => {
      const guest = launch(endless, { as, under: under(lacks) })
      const pids = await running(guest)
      guest.control.destroy()
      await guest.end
      expect(pids.some(isAlive)).toBe(false)
    })

    test('when the guest has stopped itself, or its init was stopped', async () => {
      for (const index of [1, 2] as const) {
        const guest = launch(endless, { as, under: under(lacks) })
        const pids = await running(guest)
        process.kill(pids[index], 'SIGSTOP')
        guest.child.kill('SIGTERM')
        await guest.end
        expect(pids.some(isAlive)).toBe(false)
      }
    })

    test('whenever the supervisor or init is killed', async () => {
      const marker = `bare-${as}-${process.pid}`
      const round = async (index: number) => {
        const guest = launch({ ...endless, args: [...endless.args, marker] }, { as, under: under(lacks) })
        await sleep(index * 0.75)
        try {
          const [init] = index % 2 === 0 ? [] : children(guest.child.pid)
          process.kill(init ?? (guest.child.pid as number), 'SIGKILL')
        } catch {
          guest.child.kill('SIGKILL')
        }
        // Init may not have been there yet.
        const ended = await Promise.race([guest.end, sleep(2000)])
        if (ended === undefined) guest.child.kill('SIGKILL')
        await guest.end
      }
      for (let index = 0; index < 40; index += 2) await Promise.all([round(index), round(index + 1)])
      for (let waited = 0; processesWith(marker).length > 0 && waited < 60_000; waited += 10) await sleep(10)
      expect(processesWith(marker)).toEqual([])
    })

    test('when it tries, before the lock, to start what would outlive it, or to outlive it itself', async () => {
      const code = `const { spawnSync } = child_process; const { error } = spawnSync(process.execPath, ['-e', '0']); console.log(error.code)`
      expect(await run({ file: process.execPath, args: ['-e', code], env: environment }, { as, under: under(lacks) })).toMatchObject({
        code: 0,
        stdout: 'EPERM\n',
      })
    })
  },
)

test('of what a killed host has launched without namespaces nothing is left', async () => {
  const script = `
    import { launch, locked } from '${new URL('./support/launch.ts', import.meta.url)}'
    const guest = launch(locked("setInterval(() => {}, 1000); say('running')"))
    await guest.output('running')
    console.log(guest.child.pid)
    setInterval(() => {}, 1000)`
  const args = ['namespaces', '--', process.execPath, '--conditions=@confine/source', '--input-type=module-typescript', '-e', script]
  const host = spawn(without, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = await once(host.stdout, 'data')
  const supervisor = Number(chunk)
  const init = children(supervisor)[0] as number
  const pids = [supervisor, init, children(init)[0] as number]
  expect(pids.every(isAlive)).toBe(true)
  host.kill('SIGKILL')
  expect(await allGone(pids)).toBe(true)
})

test.runIf(users.some((user) => user === 'root'))(
  'guests of root without user namespaces have an identity each, which is nobody else’s',
  async () => {
    const guests = Array.from({ length: 3 }, () => launch(endless, { under: under('namespaces') }))
    const pids = await Promise.all(guests.map(running))
    const uids = pids.map(([, , node]) => statusOf(node).Uid)
    expect(new Set(uids).size).toBe(3)
    // The supervisor takes it too, once it needs nothing else: it could not end the guest otherwise.
    expect(pids.map(([supervisor]) => statusOf(supervisor).Uid)).toEqual(uids)
    for (const guest of guests) guest.child.kill('SIGTERM')
    await Promise.all(guests.map(({ end }) => end))
  },
)

test.each(users)('launched by %s, what is missing for another reason than namespaces is no reason for a weaker tier', async (as) => {
  for (const [lacks, stage] of [
    ['namespaces,seccomp-notify', 'seccomp'],
    ['namespaces,close-range', 'privileges'],
    ['namespaces,pidfd', 'namespaces'],
  ] as const) {
    const end = await run(locked("say('ran')"), { as, under: under(lacks) })
    expect(end, lacks).toMatchObject({ code: 125, stdout: '', events: [{ type: 'setup-failed', stage }] })
  }
})

// An own mount namespace for the program that takes /proc away.
const withoutProc = ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', 'umount -l /proc; exec "$@"', 'sh']

describe.runIf(users.some((user) => user === 'root'))('on a machine without /proc', () => {
  const nobody = ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

  test.each([
    ['root', 'no-user-namespaces-root', []],
    ['nobody', 'landlock-seccomp', nobody],
  ] as const)('a guest of %s runs, and it is said that nobody has looked at it', async (_as, name, become) => {
    const end = await run(locked("say('ran')"), { under: [...withoutProc, ...become], limits: {} })
    const because = expect.arrayContaining([expect.stringMatching(/^full: It takes \/proc.*mount -t proc/)]) as string[]
    expect(end).toMatchObject({ code: 0, stdout: 'ran\n' })
    expect(end.events[0]).toMatchObject({ type: 'ready', tier: { name, because, isVerified: false } })
  })

  test('a limit of memory that cannot be held is no limit, and fails', async () => {
    const end = await run(locked("say('ran')"), { under: withoutProc, limits: { memoryMiB: 64 } })
    const reason = expect.stringMatching(
      /Without \/proc neither the memory .* can be limited.*limits\.memoryMiB and limits\.threads to Infinity/,
    ) as string
    expect(end).toMatchObject({ code: 125, stdout: '', events: [{ type: 'setup-failed', stage: 'supervise', reason }] })
  })
})

test.each(users)(
  'launched by %s without namespaces, a guest is granted no files: nothing would hold them apart from the others',
  async (as) => {
    for (const policy of [{ read: ['/usr/share'] }, { write: ['/var/tmp'] }, { scratchMiB: 1 }]) {
      const end = await run(locked("say('ran')"), { as, under: under('namespaces'), ...policy })
      const reason = expect.stringMatching(/files without a mount namespace: full: Cannot create the namespaces/) as string
      expect(end).toMatchObject({ code: 125, stdout: '', events: [{ type: 'setup-failed', stage: 'namespaces', reason }] })
    }
  },
)

const none = '0000000000000000'

/** Supervisor, init and guest. */
async function running(guest: Launch): Promise<readonly [number, number, number]> {
  await guest.output('running')
  const supervisor = guest.child.pid as number
  const init = children(supervisor)[0] as number
  return [supervisor, init, children(init)[0] as number]
}

async function allGone(pids: readonly number[]): Promise<boolean> {
  for (let waited = 0; waited < 60_000; waited += 10) {
    if (!pids.some(isAlive)) return true
    await sleep(10)
  }
  return false
}
