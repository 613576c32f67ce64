import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultPolicy } from '@confine-sandbox/contract'
import { describe, expect, test } from 'vitest'
import { cgroupParents, theseFiles } from '../src/cgroup-parents.ts'
import { linux } from '../src/linux.ts'
import { children, isAlive, type Launch, launch, locked, lockPath, program, run, statusOf, users } from './support/launch.ts'

// The guest's own cgroups, on a machine where they can be made.

const parents = cgroupParents(theseFiles)
const memory = parents.find(({ kind }) => kind !== 'pids')
const pids = parents.find(({ kind }) => kind !== 'memory')
const without = program('without')
const endless = locked("setInterval(() => {}, 1000); say('running')")
const limits = { memoryMiB: 64, threads: 40 }
/** The names that only this test's launches have. */
const namespace = BigInt(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0).toString(16)
const made = () => parents.flatMap(({ directory }) => readdirSync(directory).filter((name) => /^confine-[0-9a-f]+-\d+$/.test(name)))
/** Of a keeper. */
const nameOf = (pid: number | undefined) => `confine-${namespace}-${pid}`
const gone = async (pid: number | undefined) => await expect.poll(() => made().includes(nameOf(pid))).toBe(false)
/** A keeper ends after its cgroups, and what is nobody's child any more some time after its parent. */
const dead = async (pids: readonly (number | undefined)[]) =>
  await expect.poll(() => pids.filter((pid) => isAlive(pid as number))).toEqual([])
const textOf = (directory: string, ...names: string[]) => readFileSync(join(directory, ...names), 'latin1').trim()

describe.runIf(memory !== undefined && pids !== undefined)(
  `where cgroups can be made (${parents.map(({ kind }) => kind).join(', ')})`,
  () => {
    test.each([
      ['with everything', 'ptrace'],
      ['without user namespaces', 'user-namespaces'],
      ['without namespaces', 'namespaces'],
    ])('%s the guest is alone in its own, and they are gone with it', async (_name, lacks) => {
      const guest = launch(endless, { limits, under: [without, lacks, '--'] })
      const [, init, node, keeper] = await running(guest)
      await guest.event('locked')
      const ready = guest.events.find((event) => event.type === 'ready')
      expect(ready?.layers).toEqual(expect.arrayContaining(['cgroup-memory', 'cgroup-pids']))
      for (const { kind, directory } of parents) {
        const group = join(directory, nameOf(keeper))
        expect(textOf(group, 'cgroup.procs')).toBe(`${node}`)
        if (kind !== 'memory') expect(textOf(group, 'pids.max')).toBe('40')
        if (kind === 'pids') continue
        const bytes = Number(textOf(group, kind === 'v2' ? 'memory.max' : 'memory.limit_in_bytes'))
        // On top of what it held when it was locked.
        expect(bytes).toBeGreaterThanOrEqual(64 * 1024 * 1024)
        expect(bytes).toBeLessThan(256 * 1024 * 1024)
      }
      expect(readFileSync(`/proc/${init}/cgroup`, 'latin1')).toBe(readFileSync('/proc/self/cgroup', 'latin1'))
      expect(statusOf(keeper as number)).toMatchObject({ NoNewPrivs: '1', Seccomp: '2', CapInh: '0000000000000000' })
      expect(Number(`0x${statusOf(keeper as number).CapPrm}`) & ~2).toBe(0)
      // It would keep the host waiting for the end of the guest's output.
      const open = readdirSync(`/proc/${keeper}/fd`).map((fd) => readlinkSync(`/proc/${keeper}/fd/${fd}`))
      expect(open.filter((what) => what.startsWith('socket:'))).toHaveLength(1)
      expect(open.filter((what) => !/^(socket:|\/sys\/fs\/cgroup\/)/.test(what))).toEqual([])
      guest.child.kill('SIGTERM')
      await guest.end
      await gone(keeper)
      await dead([keeper])
    })

    test('memory that no look at the guest shows is counted', async () => {
      // 24 MiB of pages and as much of page tables.
      const spread = { file: program('spread'), args: [lockPath, '6144'], env: {} }
      const tight = { threads: true, limits: { memoryMiB: 32, threads: 40 } }
      const end = await run(spread, tight)
      expect(end).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' })
      expect(end.events).toContainEqual({ type: 'limit', limit: 'memory' })
      const rewrite = (args: readonly string[]) =>
        args.filter((_, index) => !args.slice(Math.max(0, index - 2), index + 1).includes('--cgroup'))
      expect(await run(spread, { ...tight, rewrite })).toMatchObject({ code: 0, stdout: '6144\n' })
    })

    test('a signal from elsewhere is not taken for it', async () => {
      const guest = launch(endless, { limits })
      const [, , node] = await running(guest)
      process.kill(node, 'SIGKILL')
      const end = await guest.end
      expect(end).toMatchObject({ code: null, signal: 'SIGKILL' })
      expect(end.events.map(({ type }) => type)).toEqual(['ready', 'locked', 'usage'])
    })

    test.each([
      ['supervisor', 0],
      ['init', 1],
      ['guest', 2],
    ] as const)('nothing is left when the %s is killed', async (_who, index) => {
      for (const lacks of ['ptrace', 'namespaces']) {
        const guest = launch(endless, { limits, under: [without, lacks, '--'] })
        const all = await running(guest)
        process.kill(all[index] as number, 'SIGKILL')
        await guest.end
        await gone(all[3])
        await dead(all)
      }
    })

    test('nor when the host is killed, with its process group', async () => {
      const script = `
      import { launch, locked } from '${new URL('./support/launch.ts', import.meta.url)}'
      const guest = launch(locked("setInterval(() => {}, 1000); say('running')"))
      await guest.output('running')
      console.log(guest.child.pid)
      setInterval(() => {}, 1000)`
      const args = ['--conditions=@confine/source', '--input-type=module-typescript', '-e', script]
      const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
      const [chunk] = await once(host.stdout, 'data')
      const [init, keeper] = children(Number(chunk))
      expect(made()).toContain(nameOf(keeper))
      process.kill(-(host.pid as number), 'SIGKILL')
      await gone(keeper)
      await dead([init, keeper])
    })

    test('whenever the supervisor or init is killed', async () => {
      const round = async (index: number) => {
        const guest = launch(endless, { limits })
        await sleep(index * 0.75)
        const [init] = index % 2 === 0 ? [] : childrenOf(guest)
        process.kill(init ?? (guest.child.pid as number), 'SIGKILL')
        const ended = await Promise.race([guest.end, sleep(2000)])
        if (ended === undefined) guest.child.kill('SIGKILL')
        await guest.end
      }
      const before = new Set(made())
      for (let index = 0; index < 60; index += 2) await Promise.all([round(index), round(index + 1)])
      await expect.poll(() => made().filter((name) => !before.has(name) && !isAlive(Number(name.split('-')[2])))).toEqual([])
    })

    test('what a keeper leaves that is killed itself, the next one removes', async () => {
      const guest = launch(endless, { limits })
      const [supervisor, , node, keeper] = await running(guest)
      // It holds the cgroups until it goes: every launch on this machine removes what has nobody in it.
      const tenant = spawn('sleep', ['600'], { stdio: 'ignore' })
      for (const { directory } of parents) writeFileSync(join(directory, nameOf(keeper), 'cgroup.procs'), `${tenant.pid}`)
      process.kill(keeper as number, 'SIGKILL')
      await expect.poll(() => isAlive(keeper as number)).toBe(false)
      // The limits are the kernel's: they stay.
      expect([supervisor, node].map(isAlive)).toEqual([true, true])
      guest.child.kill('SIGTERM')
      expect(await guest.end).toMatchObject({ signal: 'SIGTERM' })
      expect(made()).toContain(nameOf(keeper))
      // What is somebody else's stays: of another process namespace, or of a process that lives.
      const foreign = `confine-1-${process.pid}`
      const others = parents.flatMap(({ directory }) => [join(directory, foreign), join(directory, nameOf(process.pid))])
      for (const path of others) mkdirSync(path)
      tenant.kill('SIGKILL')
      await once(tenant, 'exit')
      await run(locked(''), { limits })
      expect(made()).not.toContain(nameOf(keeper))
      expect(made()).toEqual(expect.arrayContaining([foreign, nameOf(process.pid)]))
      for (const path of others) rmdirSync(path)
    })

    test('a keeper that somebody has stopped is waited for, but holds nobody up', async () => {
      const guest = launch(endless, { limits })
      const [, , node, keeper] = await running(guest)
      process.kill(keeper as number, 'SIGSTOP')
      const stopped = performance.now()
      process.kill(node, 'SIGKILL')
      expect(await guest.end).toMatchObject({ signal: 'SIGKILL' })
      // END_MS of native/keeper.c, by another clock.
      expect(performance.now() - stopped).toBeGreaterThan(990)
      process.kill(keeper as number, 'SIGCONT')
      await gone(keeper)
    })

    test('nothing is made where nothing is to be limited, or the caller does not want it', async () => {
      const end = await run(locked(''), { limits: {} })
      expect(end.events[0]).toMatchObject({ type: 'ready', layers: expect.not.arrayContaining(['cgroup-memory']) as string[] })
      const { args } = linux({ cgroups: false }).confine(locked(''), { ...defaultPolicy, limits })
      expect(args).not.toContain('--cgroup')
    })

    test('who may make none is held without', async () => {
      const end = await run(locked("say('ran')"), {
        as: users.at(-1) ?? 'self',
        limits,
        rewrite: (args) => ['--cgroup', 'memory', '/sys/fs/cgroup', ...args],
      })
      expect(end).toMatchObject({ code: 0, stdout: 'ran\n' })
    })
  },
)

async function running(guest: Launch): Promise<readonly [number, number, number, number | undefined]> {
  await guest.output('running')
  const [init, keeper] = children(guest.child.pid)
  return [guest.child.pid as number, init as number, children(init)[0] as number, keeper]
}

function childrenOf(guest: Launch): readonly number[] {
  try {
    return children(guest.child.pid)
  } catch {
    return []
  }
}
