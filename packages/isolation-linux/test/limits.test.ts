import { describe, expect, test } from 'vitest'
import { readdirSync, readFileSync } from 'node:fs'
import { children, type Launch, type LaunchOptions, launch, locked, lockPath, program, run, unconfined, users } from './support/launch.ts'

/** Node itself, before and after it is locked. */
const nodeMiB = 80
const fill = (mebibytes: number) =>
  `const kept = []; for (let i = 0; i < ${mebibytes}; i++) kept.push(Buffer.alloc(1 << 20, 1)); say('filled')`
const usageOf = (end: { events: readonly { type: string }[] }) => {
  const last = end.events.at(-1)
  expect(last).toMatchObject({ type: 'usage', cpuMs: expect.any(Number), peakMemoryMiB: expect.any(Number) })
  return last as unknown as { cpuMs: number; peakMemoryMiB: number }
}

describe.each(users)('launched by %s', (as) => {
  test('a guest without a limit can fill its memory', async () => {
    const end = await run(locked(fill(300)), { as, limits: {} })
    expect(end).toMatchObject({ code: 0, stdout: 'filled\n' })
    expect(usageOf(end).peakMemoryMiB).toBeGreaterThan(300)
  })

  test('a guest with a limit can fill what it has', async () => {
    expect(await run(locked(fill(40)), { as, limits: { memoryMiB: 128 } })).toMatchObject({ code: 0, stdout: 'filled\n' })
  })

  test.each([
    ['buffers', fill(300)],
    ['strings and objects', "const kept = []; for (;;) kept.push({ text: 'x'.repeat(100) + kept.length })"],
    [
      'WebAssembly memory',
      'const memory = new WebAssembly.Memory({ initial: 1 }); for (;;) new Uint8Array(memory.buffer).fill(1, (memory.grow(160) - 1) << 16)',
    ],
    ['shared memory', 'const kept = []; for (;;) kept.push(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1))'],
  ])('%s do not get past it', async (_name, code) => {
    const end = await run(locked(code), { as, limits: { memoryMiB: 64 } })
    expect(end.code).not.toBe(0)
    expect(end.stdout).toBe('')
    expect(usageOf(end).peakMemoryMiB).toBeLessThan(nodeMiB + 64 + 32)
  })

  test('where threads are allowed, what is resident counts', async () => {
    // A mebibyte a turn, not as fast as it can: the look from outside comes in time on a busy machine, too.
    const slowly = `const kept = []; setInterval(() => kept.push(Buffer.alloc(1 << 20, 1)), 1)`
    for (const code of [fill(2000), slowly]) {
      const end = await run(locked(code), { as, threads: true, limits: { memoryMiB: 64 } })
      expect(end).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' })
      expect(end.events).toContainEqual({ type: 'limit', limit: 'memory' })
      expect(usageOf(end).peakMemoryMiB).toBeLessThan(nodeMiB + 64 + (code === slowly ? 200 : 2000))
    }
  })

  test('CPU time runs out', async () => {
    const used = '((usage) => usage.user + usage.system)(process.cpuUsage())'
    const code = (until: string) => `while (${until}) for (let i = 0; i < 1e6; i++); say("done")`
    expect(await run(locked(code(`${used} < 1_150_000`)), { as, limits: {} })).toMatchObject({ code: 0, stdout: 'done\n' })
    const end = await run(locked(`process.on('SIGXCPU', () => {}); ${code('true')}`), { as, limits: { cpuSeconds: 1 } })
    expect(end).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' })
    expect(end.events).toContainEqual({ type: 'limit', limit: 'cpu' })
    // The kernel counts it by ticks: on a busy machine it may be far less by the clock.
    expect(usageOf(end).cpuMs).toBeGreaterThan(100)
  })

  test('threads run out', async () => {
    const command = { file: program('threads'), args: [lockPath, '100'], env: {} }
    expect(await run(command, { as, threads: true, limits: {} })).toMatchObject({ code: 0, stdout: '100\n' })
    const started = async (threads: number) => Number((await run(command, { as, threads: true, limits: { threads } })).stdout)
    expect(await started(20)).toBe(19)
    // Each guest has its own: the others of the same user do not count.
    expect(await Promise.all([20, 20, 20].map(started))).toEqual([19, 19, 19])
    expect(await run(command, { as, threads: false, limits: {} })).toMatchObject({ code: 0, stdout: '0\n', violations: [] })
  })

  test('each thread stands behind the host by so many steps, and no further than there are', async () => {
    const nices = async (nice: number | undefined, under: readonly string[] = []) => {
      const guest = launch(locked("say('running'); setInterval(() => {}, 1000)"), { as, under, limits: { nice } })
      await guest.output('running')
      const [init] = children(guest.child.pid)
      const [node] = children(init)
      const found = readdirSync(`/proc/${node}/task`).map((thread) => niceOf(`/proc/${node}/task/${thread}`))
      const own = niceOf(`/proc/${guest.child.pid}`)
      guest.control.end()
      await guest.end
      expect(found.length).toBeGreaterThan(5)
      return [...new Set(found)].map((each) => each - own)
    }
    expect(await nices(undefined)).toEqual([0])
    expect(await nices(0)).toEqual([0])
    expect(await nices(5)).toEqual([5])
    expect(await nices(5, ['/usr/bin/nice', '-n', '2'])).toEqual([5])
    expect(await nices(19, ['/usr/bin/nice', '-n', '17'])).toEqual([2])
  })

  test('a guest may not come forward again', async () => {
    const code = 'attempt(() => os.setPriority(0, 0))'
    expect(unconfined(code)).toMatchObject({ stdout: process.geteuid?.() === 0 ? 'got nothing\n' : expect.any(String) })
    const end = await run(locked(code), { as, limits: { nice: 5 }, onViolation: 'deny' })
    expect(end).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ERR_SYSTEM_ERROR\n$/) })
    expect(end.violations).toContainEqual(expect.objectContaining({ syscall: 'setpriority' }))
  })

  test('descriptors run out, below the one that was the launcher’s', async () => {
    const code = "let highest; try { for (;;) highest = fs.openSync('/usr/share') } catch (error) { say(highest, error.code) }"
    const policy = { as, read: ['/usr/share'] }
    const ended = async (openFiles: number | undefined, under: readonly string[] = []) =>
      await run(locked(code), { ...policy, under, limits: { openFiles } })
    expect(await ended(40)).toMatchObject({ code: 0, stdout: '39 EMFILE\n' })
    expect(await ended(64)).toMatchObject({ code: 0, stdout: '63 EMFILE\n' })
    expect(await ended(1000)).toMatchObject({ code: 0, stdout: '999 EMFILE\n' })
    // The host has fewer itself: one of them is kept for the launcher.
    const poor = ['/bin/sh', '-c', 'ulimit -n 100; exec "$@"', 'sh']
    expect(await ended(1000, poor)).toMatchObject({ code: 0, stdout: '98 EMFILE\n' })
    expect(await ended(undefined, poor)).toMatchObject({ code: 0, stdout: '98 EMFILE\n' })
  })

  test('threads run out without a user of the guest’s own too, however many are started at once', async () => {
    const under = [program('without'), 'namespaces', '--']
    const started = async (how: readonly string[], options: Partial<LaunchOptions>) => {
      const command = { file: program('threads'), args: [lockPath, '200', ...how], env: {} }
      return await run(command, { as, under, threads: true, ...options })
    }
    const alone: readonly string[] = []
    expect(await started(alone, { limits: {} })).toMatchObject({ code: 0, stdout: '200\n', violations: [] })
    expect(await started(alone, { limits: { threads: 64 } })).toMatchObject({ code: 0, stdout: '63\n', violations: [] })
    expect(await started(alone, { limits: { threads: 20 }, trace: true })).toMatchObject({ code: 0, stdout: '19\n', violations: [] })
    expect(await started(alone, { limits: { threads: 64 }, threads: false })).toMatchObject({ code: 0, stdout: '0\n', violations: [] })
    // One that is being started counts twice for a moment.
    const greedy = await started(['greedily'], { limits: { threads: 64 } })
    expect(greedy).toMatchObject({ code: 0, violations: [] })
    expect(Number(greedy.stdout)).toBeGreaterThan(31)
    expect(Number(greedy.stdout)).toBeLessThan(64)
  })

  test.each([
    ['a violation', "fs.statSync('/x')", 'SIGSYS'],
    ['a crash', 'process.abort()', 'SIGABRT'],
    ['an exit', 'process.exit()', null],
  ])('what it used is told last, after %s', async (_name, code, signal) => {
    const end = await run(locked(`for (let i = 0; i < 2e8; i++); ${code}`), { as })
    expect(end.signal).toBe(signal)
    expect(usageOf(end).peakMemoryMiB).toBeGreaterThan(20)
    expect(usageOf(end).cpuMs).toBeGreaterThan(50)
    expect(end.events.filter(({ type }) => type === 'usage')).toHaveLength(1)
  })

  test.each([
    ['the host ends it', (guest: Launch) => guest.child.kill('SIGTERM')],
    ['the host is gone', (guest: Launch) => guest.control.end()],
  ])('what it used is told when %s, too', async (_name, end) => {
    const guest = launch(locked("for (let i = 0; i < 2e8; i++); say('running'); setInterval(() => {}, 1000)"), { as })
    await guest.output('running')
    end(guest)
    const usage = usageOf(await guest.end)
    expect(usage.peakMemoryMiB).toBeGreaterThan(20)
    expect(usage.cpuMs).toBeGreaterThan(50)
  })
})

/** proc_pid_stat(5), field 19 */
function niceOf(directory: string): number {
  const stat = readFileSync(`${directory}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
}
