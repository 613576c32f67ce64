import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { MacosOptions } from '@confine-sandbox/isolation-macos'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { defaultIsolation, Sandbox, type SandboxConstructorOpts, type Violation } from '../src/index.ts'
import { emptyDirectory, isMac, macosBackend, standIn, thorough } from './macos-backend.ts'

// The whole API over the macOS backend: on a Mac the real one, elsewhere everything of it but Seatbelt itself.

const empty = emptyDirectory()
afterAll(() => empty.remove())

const backends = new Map<string, ReturnType<typeof macosBackend>>()
/** One backend for all tests that want the same: each tries the profile once. */
function backend(options: MacosOptions = {}) {
  const key = JSON.stringify(options)
  const made = backends.get(key) ?? macosBackend(empty.path, options)
  backends.set(key, made)
  return made
}

function sandbox(options: SandboxConstructorOpts = {}, of: MacosOptions = {}): Sandbox {
  const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', isolation: backend(of), ...options })
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

/** The processes of a group that are alive, as `ps` tells. */
function group(leader: number): number[] {
  const lines = execFileSync('/bin/ps', ['-A', '-o', 'pid=', '-o', 'pgid=', '-o', 'stat='], { encoding: 'utf8' }).trim().split('\n')
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, pgid, state]) => Number(pgid) === leader && !state?.startsWith('Z'))
    .map(([pid]) => Number(pid))
}

async function until(isSo: () => boolean): Promise<boolean> {
  for (let i = 0; i < 2000; i++) {
    if (isSo()) return true
    await delay(25)
  }
  return false
}

describe.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('%s in a guest of macOS', (runtime) => {
  test('runs, is called, calls, fails and is closed', async () => {
    const sbx = sandbox({ runtime, globals: { double: (n: number) => n * 2 } }, thorough)
    const source =
      runtime === 'jseval-confine-runtime'
        ? 'exports.f = async (n) => (await double(n)) + 1; exports.g = () => { throw new TypeError("no") }'
        : 'module.exports.f = async (n) => (await double(n)) + 1; module.exports.g = () => { throw new TypeError("no") }'
    const container = await sbx.execContainer({ source, env: 'nodejs' })
    expect(await container.call('f', [20])).toBe(41)
    await expect(container.call('g')).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_THREW', errorName: 'TypeError' })
    await expect(container.call('h')).rejects.toMatchObject({ code: 'ERR_CONFINE_METHOD_NOT_FOUND' })
    expect(sbx.isolation).toEqual({
      backend: 'macos',
      layers: ['seatbelt', 'rlimits', 'watcher'],
      walls: { files: ['seatbelt'], network: ['seatbelt'], processes: ['seatbelt'], privileges: ['seatbelt'], syscalls: [] },
      isLocked: true,
    })
    await container.close()
    await sbx.teardown()
    expect(sbx.isGuestProcessActive).toBe(false)
  })
})

describe('a guest of macOS', () => {
  test.runIf(process.platform === 'linux')('has nothing of the host: its environment, its directory, its descriptors', async () => {
    const sbx = sandbox()
    const source = `
      const fs = require('fs')
      const sockets = () => fs.readdirSync('/proc/self/fd').filter((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:') } catch {} })
      exports.look = () => [fs.readFileSync('/proc/self/environ', 'utf8'), process.cwd(), sockets(), fs.readdirSync('.')]`
    const container = await sbx.execContainer({ source })
    const [env, cwd, sockets, files] = await container.call('look')
    expect(env.split('\0').sort()).toEqual(['', 'HOME=/', 'LANG=C.UTF-8', 'OPENSSL_CONF=', 'PATH=/usr/bin:/bin', 'TZ=UTC'])
    expect([cwd, sockets, files]).toEqual([empty.path, ['1', '2', '3'], []])
  })

  test('is the process that the host knows, the leader of a group that ends with it', async () => {
    const sbx = sandbox()
    const container = await sbx.execContainer({ source: 'exports.pid = () => process.pid' })
    const pid = sbx.guestProcess?.pid as number
    expect(await container.call('pid')).toBe(pid)
    expect(await until(() => group(pid).length >= 2)).toBe(true)
    sbx.guestProcess?.kill('SIGKILL')
    expect(await sbx.whenGuestProcessClosed).toBe(128 + 9)
    expect(await until(() => group(pid).length === 0)).toBe(true)
    expect(sbx.guestEnd).toMatchObject({ kind: 'signaled', signal: 'SIGKILL' })
  })

  test('that minds no request to end is ended', async () => {
    const sbx = sandbox()
    const container = await sbx.execContainer({ source: 'process.on("SIGTERM", () => {}); setTimeout(() => { for (;;); }, 10)' })
    // Once it loops it tells nothing of itself any more. One that does not loop yet goes when the channel closes.
    await expect.poll(async () => (await container.usage()).cpuMs).toBeUndefined()
    expect(await sbx.teardown()).toBeGreaterThan(128)
    expect(await until(() => group(sbx.guestProcess?.pid as number).length === 0)).toBe(true)
  })

  test('that closes its channel and goes on is ended', async () => {
    const sbx = sandbox()
    const container = await sbx.execContainer({ source: 'exports.f = () => { require("fs").closeSync(3); setInterval(() => {}, 1000) }' })
    await expect(container.call('f')).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_CONFINE_/) })
    await sbx.whenGuestProcessClosed
    expect(await until(() => group(sbx.guestProcess?.pid as number).length === 0)).toBe(true)
  })

  test('that Seatbelt ends is told as a violation, what it exits with as an exit', async () => {
    const [killed, exited] = [sandbox(), sandbox()]
    await killed.execContainer({ source: 'setTimeout(() => process.kill(process.pid, "SIGSYS"), 10)' })
    await exited.execContainer({ source: 'setTimeout(() => process.exit(7), 10)' })
    await Promise.all([killed.whenGuestProcessClosed, exited.whenGuestProcessClosed])
    expect(killed.guestEnd).toMatchObject({ kind: 'violation', signal: 'SIGSYS' })
    expect(exited.guestEnd).toMatchObject({ kind: 'exited', exitCode: 7 })
  })

  test('gets the files that it was granted, and no scratch space', async () => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-files-')))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, 'in.txt'), 'in')
    const sbx = sandbox({ policy: { write: [directory] } })
    const source = `const fs = require('fs'); exports.copy = (d) => fs.writeFileSync(d + '/out.txt', fs.readFileSync(d + '/in.txt') + ' out')`
    const container = await sbx.execContainer({ source })
    await container.call('copy', [directory])
    expect(readFileSync(join(directory, 'out.txt'), 'utf8')).toBe('in out')
    await expect(sandbox({ policy: { scratchMiB: 1 } }).init()).rejects.toMatchObject({ code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE' })
  })
})

describe('limits on macOS', () => {
  test('memory: looked at from outside, whatever holds it', async () => {
    const sbx = sandbox({ limits: { memoryMiB: 64 } })
    const source =
      'const kept = []; exports.fill = () => { setInterval(() => kept.push(Buffer.alloc(4 << 20, 1)), 5); return new Promise(() => {}) }'
    const container = await sbx.execContainer({ source })
    await expect(container.call('fill')).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED', end: { kind: 'memory' } })
    expect(sbx.guestEnd?.usage?.peakMemoryMiB).toBeGreaterThan(100)
  })

  test('CPU time, also of a guest that minds no signal', async () => {
    const sbx = sandbox({ limits: { cpuSeconds: 1 } })
    const source = 'process.on("SIGXCPU", () => {}); exports.spin = () => { for (;;); }'
    const container = await sbx.execContainer({ source })
    await expect(container.call('spin')).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED' })
    // On Linux the hard limit may come before the watcher, with a signal that says nothing.
    expect(sbx.guestEnd).toMatchObject(isMac ? { kind: 'cpu' } : { signal: 'SIGKILL', usage: { cpuMs: expect.any(Number) } })
  })

  test('its life and its output', async () => {
    const [old, loud] = [sandbox({ limits: { lifeMs: 1500 } }), sandbox({ limits: { outputMiB: 1 } })]
    // However slow this machine is: its life may be over before it has loaded.
    await old.execContainer({ source: 'process.on("SIGTERM", () => {}); setTimeout(() => { for (;;); }, 10)' }).catch(() => {})
    await loud.execContainer({ source: 'setInterval(() => process.stdout.write("x".repeat(1 << 20)), 5)' })
    await Promise.all([old.whenGuestProcessClosed, loud.whenGuestProcessClosed])
    expect(old.guestEnd).toMatchObject({ kind: 'timeout', what: 'its life' })
    expect(loud.guestEnd).toMatchObject({ kind: 'output', outputMiB: 1 })
  })

  test.runIf(process.platform === 'linux')('no file that it may not write grows by a byte, no descriptor above 63, no core', async () => {
    const sbx = sandbox({ onViolation: 'deny' })
    const source = `exports.limits = () => process.report.getReport().userLimits`
    const container = await sbx.execContainer({ source })
    const limits = await container.call('limits')
    expect(limits).toMatchObject({
      core_file_size_blocks: { soft: 0, hard: 0 },
      file_size_blocks: { soft: 0, hard: 0 },
      open_files: { soft: 64, hard: 64 },
    })
  })
})

test('a guest whose host was killed is ended, though it spins and nobody reads its channel', async () => {
  const options = JSON.stringify({ directory: empty.path, isMac, sandboxExec: standIn('sandbox-exec') })
  const source = `
    import { Sandbox } from 'confine-sandbox'
    import { macos } from '@confine-sandbox/isolation-macos'
    const { directory, isMac, sandboxExec } = ${options}
    const isolation = isMac ? macos() : macos({ platform: 'darwin', sandboxExec, emptyDirectory: directory, maxProcesses: 4096 })
    const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', isolation })
    await sbx.execContainer({ source: 'process.on("SIGTERM", () => {}); setTimeout(() => { for (;;); }, 10)' })
    console.log(sbx.guestProcess.pid)`
  const host = spawn(process.execPath, ['--input-type=module', '-C', '@confine/source', '-e', source], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(host.stdout, 'data')
  const guest = Number(String(line))
  expect(group(guest)).toContain(guest)
  host.kill('SIGKILL')
  expect(await until(() => group(guest).length === 0)).toBe(true)
})

describe('the bar on macOS', () => {
  test('is what Seatbelt alone can reach, unless the caller sets another', async () => {
    expect(sandbox().opts.minIsolation).toEqual({ files: 1, network: 1, processes: 1, privileges: 1, syscalls: 0 })
    const sbx = sandbox({ minIsolation: { files: 2 } })
    await expect(sbx.execContainer({ source: 'exports.f = 1' })).rejects.toMatchObject({
      code: 'ERR_CONFINE_SETUP_FAILED',
      message: expect.stringContaining('This machine does not hold files by 2 (seatbelt) walls'),
    })
  })
})

describe.skipIf(isMac)('what may go wrong at a start on macOS', () => {
  test('within another sandbox', async () => {
    const sbx = sandbox({}, { sandboxExec: standIn('sandbox-exec-nested') })
    await expect(sbx.init()).rejects.toMatchObject({
      code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE',
      message: expect.stringContaining('this process is already in a sandbox'),
    })
    expect(await sbx.whenGuestProcessClosed).toBe(126)
  })

  test('no sandbox-exec', async () => {
    await expect(sandbox({}, { sandboxExec: '/no/such/sandbox-exec' }).init()).rejects.toMatchObject({
      code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE',
      message: expect.stringContaining('there is no /no/such/sandbox-exec that this user may run'),
    })
  })

  test.each([
    [
      'says that the profile is not understood',
      'echo "sandbox-exec: unbound variable: file-clone" >&2; exit 65',
      'profile',
      'unbound variable: file-clone',
    ],
    ['is killed without a word', 'kill -KILL $$', 'exec', 'macOS killed node before it ran'],
    ['lets the loader give up', 'kill -ABRT $$', 'dyld', "the system's loader gave up"],
  ])('sandbox-exec worked once, and then %s', async (_, end, stage, reason) => {
    const directory = mkdtempSync(join(tmpdir(), 'confine-start-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const sandboxExec = join(directory, 'sandbox-exec')
    writeFileSync(sandboxExec, `#!/bin/sh\n[ -e ${directory}/tried ] || { : > ${directory}/tried; exit 0; }\n${end}\n`)
    chmodSync(sandboxExec, 0o755)
    chmodSync(directory, 0o777)
    // The stand-in makes a file, which guests may not: this one was made by the trial.
    writeFileSync(join(directory, 'tried'), '')
    const run = () => ({ exitCode: 0, signal: null, stderr: '' })
    const sbx = sandbox({}, { sandboxExec, run })
    await expect(sbx.init()).rejects.toMatchObject({
      code: 'ERR_CONFINE_SETUP_FAILED',
      message: expect.stringContaining(reason),
      end: { kind: 'setup-failed', stage },
    })
  })
})

test.skipIf(isMac)('violations come from the log when they are asked for', async () => {
  const sbx = sandbox({}, { violations: true, log: standIn('log') })
  const violations: Violation[] = []
  sbx.on('violation', (violation) => violations.push(violation))
  const container = await sbx.execContainer({ source: 'exports.die = () => process.kill(process.pid, "SIGSYS")' })
  expect(await until(() => violations.length >= 2)).toBe(true)
  await container.call('die').catch(() => {})
  await sbx.whenGuestProcessClosed
  expect(violations).toMatchObject([
    { syscall: 'file-read-data', path: '/private/etc/passwd', action: 'deny' },
    { syscall: 'network-outbound', args: ['remote:*:443'], action: 'kill' },
  ])
  expect(sbx.guestEnd).toMatchObject({ kind: 'violation', violation: { syscall: 'network-outbound' } })
  expect(await until(() => group(sbx.guestProcess?.pid as number).length === 0)).toBe(true)
})

test.runIf(process.platform === 'linux')('guests in a row leave no descriptor, no process and no file behind', async () => {
  const once = async (end: string) => {
    const sbx = sandbox()
    await sbx.execContainer({ source: `setTimeout(() => { ${end} }, 5)` }).catch(() => {})
    if (end === '') await sbx.teardown()
    else await sbx.whenGuestProcessClosed
    return sbx.guestProcess?.pid as number
  }
  const descriptors = () => readdirSync('/proc/self/fd').length
  await once('')
  const before = descriptors()
  const leaders = await Promise.all(['', 'process.exit(3)', 'process.kill(process.pid, "SIGKILL")', 'require("fs").closeSync(3)'].map(once))
  expect(await until(() => descriptors() <= before && leaders.every((leader) => group(leader).length === 0))).toBe(true)
  expect(readdirSync(empty.path)).toEqual([])
})

describe('the backend of a platform', () => {
  const { platform } = process
  beforeAll(() => () => Object.defineProperty(process, 'platform', { value: platform }))
  const on = (value: string) => Object.defineProperty(process, 'platform', { value })

  test.each(['win32', 'freebsd', 'aix'] as const)('%s has none: a sandbox says what can be done', (name) => {
    on(name)
    expect(() => new Sandbox({ runtime: 'jseval-confine-runtime' })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE',
        message: expect.stringMatching(new RegExp(`no isolation for ${name}.*linux and darwin.*isolation.*noSandbox: true`, 's')),
      }),
    )
    expect(() => new Sandbox({ runtime: 'jseval-confine-runtime', noSandbox: true })).not.toThrow()
    expect(() => new Sandbox({ runtime: 'jseval-confine-runtime', isolation: backend() })).not.toThrow()
  })

  test('darwin has Seatbelt, Linux the launcher', async () => {
    expect([defaultIsolation('darwin').name, defaultIsolation('linux').name]).toEqual(['macos', 'linux'])
    on('darwin')
    const sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
    expect(sbx.isolation.backend).toBe('macos')
    if (!isMac) await expect(sbx.init()).rejects.toMatchObject({ message: expect.stringContaining('there is no /usr/bin/sandbox-exec') })
  })
})
