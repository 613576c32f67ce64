import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { isAlive } from '../../isolation-linux/test/support/launch.ts'
import { defaultIsolation, Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']
const dist = pathToFileURL(fileURLToPath(new URL('../dist/index.js', import.meta.url))).href

function sandbox(options: SandboxConstructorOpts): Sandbox {
  const sbx = new Sandbox(options)
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

describe.each(runtimes)('%s', (runtime) => {
  test('runs a program, confined, and calls go both ways', async () => {
    const log = vi.fn()
    const sbx = sandbox({ runtime, globals: { console: { log }, math: { twice: async (n: number) => n * 2 } } })
    const { cid } = await sbx.execContainer({
      source: `
        console.log('loaded', { a: [1] })
        module.exports = {
          addOne: (num) => num + 1,
          deep: { twice: async (n) => await math.twice(n) },
          map: (map) => new Map([...map].map(([k, v]) => [v, k])),
        }`,
      sourcePath: '/path/to/source/file.js',
    })
    await sbx.configContainer({ cid, opts: {} })
    expect(await sbx.handleAPICall(cid, 'addOne', [5])).toBe(6)
    expect(await sbx.handleAPICall(cid, 'deep.twice', [4])).toBe(8)
    expect(await sbx.handleAPICall(cid, 'map', [new Map([['a', 1n]])])).toEqual(new Map([[1n, 'a']]))
    await expect.poll(() => log).toHaveBeenCalledWith('loaded', { a: [1] })
    expect(sbx.isolation).toMatchObject({ backend: 'linux', isLocked: true })
    expect(sbx.isolation.layers).toEqual(
      expect.arrayContaining([
        'user-ns',
        'mount-ns',
        'pid-ns',
        'net-ns',
        'ipc-ns',
        'uts-ns',
        'cgroup-ns',
        'read-only-root',
        'no-capabilities',
        'no-new-privs',
        'seccomp-notify',
      ]),
    )
    expect(await sbx.teardown()).toBe(128 + 15)
  })

  test('process.exit ends the container with its code', async () => {
    const sbx = sandbox({ runtime })
    const events: unknown[] = []
    sbx.on('container-closed', (event) => events.push(event))
    const container = await sbx.execContainer({ source: 'exports.leave = () => { process.exit(5) }', env: 'nodejs' })
    await expect(container.call('leave')).rejects.toMatchObject({ name: 'ConfineError' })
    expect(await container.closed).toEqual({ cid: container.cid, exitCode: 5 })
    expect(events).toEqual([{ cid: container.cid, exitCode: 5 }])
  })

  test.each([
    ['a timer', 'setTimeout(() => process.exit(4), 10)'],
    ['a promise that nobody awaits', 'Promise.resolve().then(() => process.exit(4))'],
    ['the top level', 'process.exit(4); throw new Error("never")'],
  ])('process.exit in %s does the same', async (_name, source) => {
    const sbx = sandbox({ runtime })
    const errors = vi.fn()
    sbx.on('container-runtime-error', errors)
    const container = await sbx.execContainer({ source, env: 'nodejs' })
    expect(await container.closed).toEqual({ cid: container.cid, exitCode: 4 })
    expect(errors).not.toHaveBeenCalled()
  })

  test.each([
    ['a syntax error', 'module.exports = (', 'SyntaxError'],
    ['a program that throws', 'throw new RangeError("at load")', 'RangeError'],
  ])('%s fails to load and says why', async (_name, source, errorName) => {
    const sbx = sandbox({ runtime })
    await expect(sbx.execContainer({ source, sourcePath: '/guest/program.js' })).rejects.toMatchObject({
      code: 'ERR_CONFINE_SOURCE_FAILED',
      errorName,
    })
  })

  test('errors name guest paths only', async () => {
    const sbx = sandbox({ runtime })
    const container = await sbx.execContainer({
      source: '\nexports.f = () => { throw new TypeError("no") }',
      sourcePath: '/guest/program.js',
      path: '/guest/program.js',
    })
    const error = await container.call('f').catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_CONFINE_GUEST_THREW', errorName: 'TypeError', message: 'no' })
    expect(error.guestStack).toContain('/guest/program.js:2:')
    expect(error.guestStack).not.toMatch(/node_modules|packages|node:internal/)
  })

  test('an endless program is ended by a teardown', async () => {
    const sbx = sandbox({ runtime })
    const container = await sbx.execContainer({ source: 'exports.loop = () => { while (true); }' })
    const call = container.call('loop').catch((error) => error.code)
    await delay(100)
    await sbx.teardown()
    expect(await call).toBe('ERR_CONFINE_TORN_DOWN')
  })
})

test('an ES module runs in an isolate', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime' })
  const container = await sbx.execContainer({ source: 'export const add = (a, b) => a + b; export default { n: () => 1 }', module: 'esm' })
  expect(await container.call('add', [1, 2])).toBe(3)
  expect(await container.call('default.n')).toBe(1)
})

test('what an isolate throws where nobody waits is told, and it goes on', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime' })
  const errors: any[] = []
  sbx.on('container-runtime-error', (event) => errors.push(event))
  const container = await sbx.execContainer({ source: 'setTimeout(() => { throw new RangeError("nobody waits") }); exports.f = () => 1' })
  await expect.poll(() => errors).toMatchObject([{ cid: 1, error: { code: 'ERR_CONFINE_GUEST_THREW', errorName: 'RangeError' } }])
  expect(await container.call('f')).toBe(1)
})

test('a runtime names its own failures; a program cannot', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime' })
  await expect(sbx.execContainer({ source: '', path: 'relative.js' })).rejects.toMatchObject({ code: 'ERR_CONFINE_BAD_OPTION' })
  const container = await sbx.execContainer({
    source:
      'exports.forge = () => { throw Object.assign(new Error("x"), { code: "ERR_CONFINE_VALUE", isOurs: true }) }; exports.f = () => Symbol()',
  })
  await expect(container.call('forge')).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_THREW', errorCode: 'ERR_CONFINE_VALUE' })
  await expect(container.call('f')).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE' })
})

test('many isolates share a process, each with its own life', async () => {
  const sbx = sandbox({ runtime: 'jsisolate-confine-runtime' })
  const containers = await Promise.all(
    [1, 2, 3, 4].map((n) => sbx.execContainer({ source: `exports.n = () => ${n}; exports.leave = () => process.exit(1)` })),
  )
  await containers[0]!.call('leave').catch(() => {})
  await containers[1]!.close()
  expect(await Promise.all(containers.slice(2).map((container) => container.call('n')))).toEqual([3, 4])
  expect((await sbx.listContainers()).map(({ cid }) => cid)).toEqual([3, 4])
})

test("the original's jseval runtime from npm runs unchanged", async () => {
  const sbx = sandbox({ runtime: 'legacy-jseval-confine-runtime', globals: { ask: async (n: number) => n + 1 } })
  const container = await sbx.execContainer({
    source: 'exports.ping = async (v) => ({ pong: await ask(v) }); exports.leave = () => process.exit(3)',
  })
  expect(await container.call('ping', [5])).toEqual({ pong: 6 })
  await container.call('leave').catch(() => {})
  expect(await container.closed).toEqual({ cid: 1, exitCode: 3 })
})

test('without a runtime, or with one that is nowhere, nothing is made', () => {
  expect(() => new Sandbox({})).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
  expect(() => new Sandbox(undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
  expect(() => new Sandbox({ runtime: 'no-such-runtime' })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_NOT_FOUND', message: expect.stringContaining('npm i no-such-runtime') }),
  )
  expect(() => new Sandbox({ runtime: 5 as never })).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
})

test('a platform without a backend says what to do', () => {
  expect(() => defaultIsolation('win32')).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_ISOLATION_UNAVAILABLE', message: expect.stringMatching(/win32.*WSL 2.*noSandbox/) }),
  )
  expect(defaultIsolation('linux').name).toBe('linux')
  expect(defaultIsolation('darwin').name).toBe('macos')
})

test('the guest starts with nothing of the host in reach', async () => {
  const sbx = sandbox({ runtime: 'jseval-confine-runtime', onViolation: 'deny' })
  const container = await sbx.execContainer({
    source: `
      const os = require('os')
      exports.look = () => ({
        environment: Object.keys(process.env),
        directory: process.cwd(),
        user: [process.getuid(), process.getgid()],
        host: os.hostname(),
        pid: process.pid,
        arguments: process.argv.length,
      })`,
  })
  expect(await container.call('look')).toEqual({
    environment: expect.not.arrayContaining(['USER', 'NODE_OPTIONS', 'SHELL']),
    directory: '/',
    user: [expect.any(Number), expect.any(Number)],
    host: expect.not.stringMatching(new RegExp(`^${hostname()}$`)),
    pid: 2,
    arguments: expect.any(Number),
  })
})

test.each([false, true])('a host that is killed leaves no guest (strace: %s)', async (strace) => {
  const program = `
    import { Sandbox } from ${JSON.stringify(dist)}
    const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', strace: ${strace} })
    const container = await sbx.execContainer({ source: 'exports.loop = () => { while (true); }' })
    container.call('loop')
    console.log(sbx.guestProcess.pid)`
  const host = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [chunk] = await once(host.stdout, 'data')
  await delay(50)
  // The supervisor, pid 1 of its namespace, and node at the least.
  const family = descendants(Number(chunk))
  expect(family.length).toBeGreaterThanOrEqual(3)
  expect(family.filter((pid) => !isAlive(pid))).toEqual([])
  host.kill('SIGKILL')
  await expect.poll(() => family.filter(isAlive)).toEqual([])
})

test.each([
  ['the strace program', '/usr/bin:/bin', /execve\(.*\n[\s\S]*openat\(.* = \d+\n/],
  ['the supervisor, where there is none', '/nowhere', /execve\(.*\n[\s\S]*openat\(.*\n[\s\S]* = -1 ENOENT \(the guest is locked\)\n/],
])('strace prints the system calls of the guest: %s', async (_by, path, expected) => {
  vi.stubEnv('PATH', path)
  onTestFinished(() => void vi.unstubAllEnvs())
  const written: string[] = []
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written.push(String(chunk))
    return true
  })
  onTestFinished(() => write.mockRestore())
  const sbx = sandbox({ runtime: 'jseval-confine-runtime', strace: true })
  const container = await sbx.execContainer({ source: 'exports.f = () => 1' })
  expect(await container.call('f')).toBe(1)
  await sbx.teardown()
  expect(written.join('')).toMatch(expected)
})

test('nothing is left on disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const program = `
    import { Sandbox } from ${JSON.stringify(dist)}
    const sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
    await sbx.execContainer({ source: '' })
    await sbx.teardown()`
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: directory,
    env: { ...process.env, HOME: directory, TMPDIR: directory },
  })
  expect(readdirSync(directory)).toEqual([])
})

test.runIf(process.getuid?.() === 0)('an unprivileged user gets the same isolation', async () => {
  const program = `
    import { Sandbox } from ${JSON.stringify(dist)}
    for (const runtime of ${JSON.stringify(runtimes)}) {
      const sbx = new Sandbox({ runtime })
      const container = await sbx.execContainer({ source: 'exports.addOne = (n) => n + 1; exports.read = () => require("fs").readFileSync("/etc/passwd")' })
      console.log(JSON.stringify([await container.call('addOne', [5]), sbx.isolation.layers]))
      await sbx.teardown()
    }`
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)('setpriv', user, { env: { HOME: '/nonexistent' } })
  const own = sandbox({ runtime: 'jseval-confine-runtime' })
  await own.init()
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    // Cgroups are root's, unless somebody has delegated one.
  ).toEqual(runtimes.map(() => [6, own.isolation.layers.filter((layer) => !/^cgroup-(memory|pids)$/.test(layer))]))
})

function descendants(pid: number): number[] {
  const children = (parent: number): number[] =>
    existsSync(`/proc/${parent}/task/${parent}/children`)
      ? readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
      : []
  return [pid, ...children(pid).flatMap(descendants)]
}
