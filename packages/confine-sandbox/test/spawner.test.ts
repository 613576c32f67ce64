import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

// Guests that another process than the host has started.

function sandbox(options: Partial<SandboxConstructorOpts> = {}): Sandbox {
  const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', spawner: true, ...options })
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

const dist = new URL('../dist/index.js', import.meta.url).href
const source = `
  exports.add = async (a, b) => (await twice(a)) + b
  exports.leave = () => process.exit(5)
  exports.spin = () => { for (;;); }
  exports.steal = () => require('node:fs').readFileSync('/etc/passwd', 'utf8')
  exports.say = () => console.log('said')`
const statusOf = (pid: number | undefined) => readFileSync(`/proc/${pid}/status`, 'latin1')
const parentOf = (pid: number | undefined) => Number(/^PPid:\t(\d+)/m.exec(statusOf(pid))?.[1])

describe.runIf(process.platform === 'linux')('started by a spawner', () => {
  test.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('%s: walls, calls and output are the same', async (runtime) => {
    const globals = { twice: (n: number) => n * 2 }
    const [own, sbx] = [sandbox({ runtime, globals, spawner: false }), sandbox({ runtime, globals })]
    const [, container] = await Promise.all([own.init(), sbx.execContainer({ source })])
    expect(sbx.isolation.layers).toEqual(own.isolation.layers)
    expect(parentOf(own.guestProcess?.pid)).toBe(process.pid)
    expect(parentOf(parentOf(sbx.guestProcess?.pid))).toBe(process.pid)
    expect(await container.call('add', [20, 2])).toBe(42)
    const said = once(sbx, 'console')
    await container.call('say')
    expect((await said)[0]).toMatchObject({ args: ['said'] })
    expect(await sbx.teardown()).toBe(128 + 15)
  })

  test.each([
    ['exits', (sbx: Sandbox, cid: number) => sbx.handleAPICall(cid, 'leave'), { kind: 'exited', exitCode: 5 }],
    ['does what is forbidden', (sbx: Sandbox, cid: number) => sbx.handleAPICall(cid, 'steal'), { kind: 'violation' }],
    ['takes too long', (sbx: Sandbox, cid: number) => sbx.handleAPICall(cid, 'spin', [], { timeoutMs: 50 }), { kind: 'timeout' }],
  ])('a guest that %s ends with its reason and what it has used', async (_what, act, end) => {
    const sbx = sandbox({ globals: { twice: () => {} } })
    const { cid } = await sbx.execContainer({ source })
    await expect(act(sbx, cid)).rejects.toMatchObject({ name: 'ConfineError' })
    await sbx.whenGuestProcessClosed
    expect(sbx.guestEnd).toMatchObject({ ...end, usage: { peakMemoryMiB: expect.any(Number) } })
  })

  test('a sandbox that is torn down while it starts starts nothing', async () => {
    const sbx = sandbox()
    const started = expect(sbx.init()).rejects.toMatchObject({ code: 'ERR_CONFINE_TORN_DOWN' })
    await sbx.teardown()
    await started
    const other = sandbox()
    const init = other.init()
    await expect.poll(() => other.guestProcess).toBeDefined()
    await other.teardown()
    await expect(init).rejects.toMatchObject({ code: 'ERR_CONFINE_TORN_DOWN' })
  })

  test('a host that is killed leaves neither guest nor spawner', async () => {
    const program = `
      import { Sandbox } from ${JSON.stringify(dist)}
      const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', spawner: true })
      const container = await sbx.execContainer({ source: 'exports.loop = () => { while (true); }' })
      container.call('loop')
      console.log(sbx.guestProcess.pid)`
    const host = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [chunk] = await once(host.stdout, 'data')
    const family = descendants(parentOf(Number(chunk)))
    expect(family.length).toBeGreaterThanOrEqual(4)
    host.kill('SIGKILL')
    await expect.poll(() => family.filter(isAlive)).toEqual([])
  })

  test('a spawner that is killed takes its guests along, with a reason, and the next sandbox has another one', async () => {
    const program = `
      import { Sandbox } from ${JSON.stringify(dist)}
      import { readFileSync } from 'node:fs'
      const parentOf = (pid) => Number(/^PPid:\\t(\\d+)/m.exec(readFileSync('/proc/' + pid + '/status', 'latin1'))[1])
      const options = { runtime: 'jseval-confine-runtime', spawner: true }
      const sbx = new Sandbox(options)
      const container = await sbx.execContainer({ source: 'exports.loop = () => { while (true); }' })
      const call = container.call('loop').catch(({ code }) => code)
      const spawner = parentOf(sbx.guestProcess.pid)
      process.kill(spawner, 'SIGKILL')
      await sbx.whenGuestProcessClosed
      const next = new Sandbox(options)
      const answer = await (await next.execContainer({ source: 'exports.f = () => 1' })).call('f')
      console.log(JSON.stringify([await call, sbx.guestEnd, answer, parentOf(next.guestProcess.pid) !== spawner]))
      await next.teardown()`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    expect(JSON.parse(stdout)).toEqual(['ERR_CONFINE_GUEST_ENDED', { kind: 'signaled', signal: 'SIGKILL' }, 1, true])
  })

  test.runIf(process.getuid?.() === 0)('rights that the host has given up are not those of the next guest', async () => {
    const program = `
      import { Sandbox } from ${JSON.stringify(dist)}
      import { readFileSync } from 'node:fs'
      const statusOf = (pid) => readFileSync('/proc/' + pid + '/status', 'latin1')
      const uidOf = ({ guestProcess }) => Number(/^Uid:\\t(\\d+)/m.exec(statusOf(/^PPid:\\t(\\d+)/m.exec(statusOf(guestProcess.pid))[1]))[1])
      const first = new Sandbox({ runtime: 'jseval-confine-runtime', spawner: true })
      await first.init()
      process.setgroups([])
      process.setgid(65534)
      process.setuid(65534)
      const second = new Sandbox({ runtime: 'jseval-confine-runtime', spawner: true })
      await second.init()
      console.log(JSON.stringify([uidOf(first), uidOf(second)]))
      await Promise.all([first.teardown(), second.teardown()])`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    expect(JSON.parse(stdout)).toEqual([0, 65534])
  })

  test('a host that is done ends, whatever its spawner does', async () => {
    const program = `
      import { Sandbox } from ${JSON.stringify(dist)}
      const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', spawner: true })
      const container = await sbx.execContainer({ source: 'exports.f = () => 1' })
      console.log(await container.call('f'), await sbx.teardown())`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    expect(stdout).toBe('1 143\n')
  })

  test("who starts its guests itself has no spawner: unconfined ones, and those on a connection of the host's own", async () => {
    for (const options of [{ noSandbox: true }, { transport: 'unix' }] as const) {
      const sbx = sandbox(options)
      await sbx.init()
      expect(parentOf(sbx.guestProcess?.pid)).toBe(process.pid)
    }
  })

  test('a wish that is none is refused', () => {
    // @ts-expect-error
    expect(() => new Sandbox({ runtime: 'jseval-confine-runtime', spawner: 'always' })).toThrow(
      "The option spawner must be true, false or 'auto'",
    )
  })
})

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(descendants)]
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\t[ZX]/m.test(statusOf(pid))
  } catch {
    return false
  }
}
