import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Command, ConfineError } from '@confine-sandbox/contract'
import { expect, onTestFinished, test, vi } from 'vitest'
import { resolveRuntime } from '../src/index.ts'
import { fixture, sandbox } from './support.ts'

function failsWith(code: string, fields: object = {}) {
  return expect.objectContaining({ name: 'ConfineError', code, ...fields })
}

test('the members of the fixed API before, during and after the life of a guest', async () => {
  const log = () => {}
  const sbx = sandbox({ globals: { console: { log } } })
  expect(sbx).toMatchObject({
    guestProcess: undefined,
    ipc: undefined,
    ipcServer: undefined,
    ipcServerPort: undefined,
    ipcClientPort: undefined,
  })
  expect(sbx.isGuestProcessActive).toBe(false)
  expect(sbx.runtimePath).toBe(fixture('plain-runtime/index.cjs'))
  expect(sbx.globalsMap).toEqual(new Map([['console.log', log]]))
  expect(sbx.opts).toMatchObject({ noSandbox: true, strace: false })
  await sbx.init()
  expect(sbx.isGuestProcessActive).toBe(true)
  expect(sbx.guestProcess?.pid).toBeGreaterThan(1)
  expect(sbx.ipc).toBeDefined()
  expect(sbx.isolation).toEqual({ backend: 'none', layers: [], isLocked: true })
  const { cid } = await sbx.execContainer({ source: 'exports.add = (a, b) => a + b' })
  expect(await sbx.configContainer({ cid, opts: { a: 1 } })).toBeUndefined()
  expect(await sbx.handleAPICall(cid, 'add', [1, 2])).toBe(3)
  expect((await sbx.listContainers()).map((container) => container.cid)).toEqual([cid])
  expect(await sbx.teardown()).toBe(128 + 15)
  expect(await sbx.whenGuestProcessClosed).toBe(128 + 15)
  expect(sbx.isGuestProcessActive).toBe(false)
  expect(sbx.guestExitCode).toBeNull()
  expect(sbx.guestExitSignal).toBe('SIGTERM')
  expect(sbx.guestEnd).toEqual({ kind: 'signaled', signal: 'SIGTERM' })
  expect(await sbx.teardown()).toBe(128 + 15)
})

test('the runtime is prepared and warm before any source is there, and gets its options', async () => {
  const sbx = sandbox({ globals: { greeting: 'hello', f: { g: (n: number) => n + 1 } } })
  const container = await sbx.execContainer({
    source:
      'exports.state = async () => [isPrepared, isWarm, opts.extra, opts.sourcePath, globals.greeting, await globals.f.g(1), opts.configured]',
    sourcePath: '/guest/file.js',
    extra: [1n],
  })
  await sbx.configContainer({ cid: container.cid, opts: { level: 2 } })
  expect(await container.call('state')).toEqual([true, true, [1n], '/guest/file.js', 'hello', 2, { level: 2 }])
})

test('containers of one process are separate, up to what the runtime takes', async () => {
  const sbx = sandbox()
  const containers = await Promise.all([1, 2, 3].map((n) => sbx.execContainer({ source: `exports.n = () => ${n}` })))
  expect(await Promise.all(containers.map((container) => container.call('n')))).toEqual([1, 2, 3])
  await expect(sbx.execContainer({ source: '' })).rejects.toEqual(failsWith('ERR_CONFINE_CONTAINER_LIMIT'))
  const [first] = containers
  const closed = vi.fn()
  sbx.on('container-closed', closed)
  await sbx.killContainer({ cid: first!.cid })
  expect(closed.mock.calls).toEqual([[{ cid: first!.cid, exitCode: 0 }]])
  expect(await first!.closed).toEqual({ cid: first!.cid, exitCode: 0 })
  await expect(first!.call('n')).rejects.toEqual(failsWith('ERR_CONFINE_CONTAINER_NOT_FOUND'))
  await first!.close()
  expect(await containers[1]!.call('n')).toBe(2)
  await sbx.execContainer({ source: '' })
})

test('a container that exits is told with its code and its sandbox lives on', async () => {
  const sbx = sandbox()
  const events: unknown[] = []
  sbx.on('container-closed', (event) => events.push(event))
  const { cid, closed } = await sbx.execContainer({ source: 'exit(3)' })
  expect(await closed).toEqual({ cid, exitCode: 3 })
  expect(events).toEqual([{ cid, exitCode: 3 }])
  expect(await sbx.listContainers()).toEqual([])
  expect(sbx.isGuestProcessActive).toBe(true)
})

test('its exit code is its own also when calls of the host are left that nobody awaits', async () => {
  const sbx = sandbox({ maxContainers: 1, globals: { never: () => new Promise(() => {}) } })
  // More than leaves at once: the process goes when it has.
  const source = 'setTimeout(() => { for (let i = 0; i < 50; i++) globals.never(new Uint8Array(100_000)); exit(9) }, 1)'
  await sbx.execContainer({ source })
  expect(await sbx.whenGuestProcessClosed).toBe(9)
})

test('a process made for one container ends with it, with its exit code', async () => {
  const sbx = sandbox({ maxContainers: 1 })
  const { closed, cid } = await sbx.execContainer({ source: 'setTimeout(() => exit(9), 20)' })
  expect(await closed).toEqual({ cid, exitCode: 9 })
  expect(await sbx.whenGuestProcessClosed).toBe(9)
  expect(sbx.guestExitCode).toBe(9)
  await expect(sbx.execContainer({ source: '' })).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_ENDED'))
})

test('await using closes containers and sandboxes', async () => {
  const sbx = sandbox()
  {
    await using container = await sbx.execContainer({ source: '' })
    expect(await sbx.listContainers()).toEqual([container])
  }
  expect(await sbx.listContainers()).toEqual([])
  {
    await using other = sandbox()
    await other.init()
  }
})

test.each([
  ['nothing to run', {}, 'ERR_CONFINE_SOURCE_MISSING'],
  ['a misspelt source', { sorce: 'exports.a = 1' }, 'ERR_CONFINE_SOURCE_MISSING'],
  ['no options', undefined, 'ERR_CONFINE_BAD_OPTION'],
  ['a source that is a number', { source: 5 }, 'ERR_CONFINE_BAD_OPTION'],
  ['a path that is a number', { sourcePath: 5 }, 'ERR_CONFINE_BAD_OPTION'],
  ['a path to nothing', { sourcePath: '/no/such/file.js' }, 'ERR_CONFINE_SOURCE_UNREADABLE'],
  ['a path to a directory', { sourcePath: tmpdir() }, 'ERR_CONFINE_SOURCE_UNREADABLE'],
  ['globals per container', { source: '', globals: {} }, 'ERR_CONFINE_BAD_OPTION'],
  ['an option that cannot cross', { source: '', option: () => {} }, 'ERR_CONFINE_VALUE'],
  ['a syntax error', { source: 'exports.= 1' }, 'ERR_CONFINE_SOURCE_FAILED'],
  ['a source that throws', { source: 'throw Object.assign(new RangeError("boom"), { details: { a: 1 } })' }, 'ERR_CONFINE_SOURCE_FAILED'],
  ['a source that throws undefined', { source: 'throw undefined' }, 'ERR_CONFINE_SOURCE_FAILED'],
])('execContainer with %s fails, and the next one works', async (_name, options, code) => {
  const sbx = sandbox()
  await expect(sbx.execContainer(options)).rejects.toEqual(failsWith(code))
  expect(await sbx.listContainers()).toEqual([])
  const container = await sbx.execContainer({ source: 'exports.f = () => 1' })
  expect(await container.call('f')).toBe(1)
})

test('a misspelt source is named', async () => {
  await expect(sandbox().execContainer({ sorce: 'exports.a = 1' })).rejects.toThrow(
    'give execContainer a source or a sourcePath, not "sorce"',
  )
})

test('a source that does not load is told by both events and by its error', async () => {
  const sbx = sandbox()
  const events: [string, any][] = []
  sbx.on('container-closed', (event) => events.push(['container-closed', event]))
  sbx.on('container-runtime-error', (event) => events.push(['container-runtime-error', event]))
  const error: ConfineError = await sbx
    .execContainer({ source: 'throw Object.assign(new RangeError("boom"), { code: "EBOOM", details: { a: 1 } })' })
    .catch((thrown) => thrown)
  expect(error).toMatchObject({
    errorName: 'RangeError',
    errorCode: 'EBOOM',
    details: { a: 1 },
    guestStack: expect.stringContaining('RangeError: boom'),
  })
  expect(events).toEqual([
    ['container-closed', { cid: 1, error }],
    ['container-runtime-error', { cid: 1, error }],
  ])
})

test('source wins over sourcePath; a file is read on the host', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const sourcePath = join(directory, 'program.js')
  await writeFile(sourcePath, 'exports.which = () => "file"')
  const sbx = sandbox()
  expect(await (await sbx.execContainer({ sourcePath })).call('which')).toBe('file')
  expect(await (await sbx.execContainer({ sourcePath, source: 'exports.which = () => "source"' })).call('which')).toBe('source')
  expect(await (await sbx.execContainer({ source: Buffer.from('exports.which = () => "bytes"') })).call('which')).toBe('bytes')
})

test('what guest code throws arrives as data', async () => {
  const sbx = sandbox()
  const container = await sbx.execContainer({
    source: `
      exports.error = () => { throw Object.assign(new TypeError('no', { cause: new Error('why') }), { code: 'E', extra: 1 }) }
      exports.text = () => { throw 'text' }
      exports.trap = () => { throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } }) }
      exports.stuck = () => { throw Object.assign(new Error('x'), { details: () => {} }) }
    `,
  })
  const error = await container.call('error').catch((thrown) => thrown)
  expect(error).toEqual(
    failsWith('ERR_CONFINE_GUEST_THREW', { message: 'no', errorName: 'TypeError', errorCode: 'E', details: { extra: 1 } }),
  )
  expect(error.cause).toMatchObject({ message: 'why' })
  expect(error.guestStack).not.toMatch(/entry\.cjs|node:internal/)
  await expect(container.call('text')).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_THREW', { details: 'text' }))
  for (const name of ['trap', 'stuck']) await expect(container.call(name)).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_THREW'))
})

test('names that are no exports, and things that are no names', async () => {
  const sbx = sandbox()
  const { cid } = await sbx.execContainer({ source: 'exports.f = () => 1' })
  for (const name of ['g', '', 'toString', '__proto__', 'constructor', 'f.constructor', 'constructor.constructor', 'hasOwnProperty']) {
    await expect(sbx.handleAPICall(cid, name, [])).rejects.toEqual(failsWith('ERR_CONFINE_METHOD_NOT_FOUND', { cid, method: name }))
  }
  await expect(sbx.handleAPICall(cid, 5 as any, [])).rejects.toEqual(failsWith('ERR_CONFINE_BAD_OPTION'))
  await expect(sbx.handleAPICall(cid, 'f', 'x' as any)).rejects.toEqual(failsWith('ERR_CONFINE_BAD_OPTION'))
  for (const wrong of [0, 2, -1, 1.5, Number.NaN, '1', null, {}]) {
    await expect(sbx.handleAPICall(wrong as number, 'f', [])).rejects.toEqual(failsWith('ERR_CONFINE_CONTAINER_NOT_FOUND'))
    await expect(sbx.killContainer({ cid: wrong as number })).rejects.toEqual(failsWith('ERR_CONFINE_CONTAINER_NOT_FOUND'))
    await expect(sbx.configContainer({ cid: wrong as number })).rejects.toEqual(failsWith('ERR_CONFINE_CONTAINER_NOT_FOUND'))
  }
})

test('host functions keep their this; what they throw reaches the guest without stack and data', async () => {
  const counter = {
    n: 1,
    next() {
      return ++this.n
    },
    fail() {
      throw Object.assign(new RangeError('secret path /host/x'), { code: 'EHOST', secret: 1 })
    },
  }
  const sbx = sandbox({ globals: { counter } })
  const container = await sbx.execContainer({
    source: `
      exports.next = () => globals.counter.next()
      exports.fail = async () => { try { await globals.counter.fail() } catch (e) { return [e.name, e.message, e.code, Object.keys(e), e.stack.includes('.test.ts')] } }
    `,
  })
  expect(await container.call('next')).toBe(2)
  expect(await container.call('fail')).toEqual(['RangeError', 'secret path /host/x', 'EHOST', ['code'], false])
})

test.each([
  // Answered with a failure; the guest's own peer then meets an answer to what it never asked.
  ['a call of what is not in the table', (text: Text) => [1, 9, 1, 0, ...text('constructor.constructor'), 0x0b, 0], 'exited'],
  ['a call for a container that never was', (text: Text) => [1, 9, 99, 0, ...text('f'), 0x0b, 0], 'exited'],
  ['the end of a container that never was', (text: Text) => [4, 99, ...text('closed'), 0x0b, 1, 0x04, 0], 'protocol'],
  ['an exit code that is none', (text: Text) => [4, 1, ...text('closed'), 0x0b, 1, 0x00], 'protocol'],
  ['a notice nobody knows', (text: Text) => [4, 1, ...text('other'), 0x0b, 0], 'protocol'],
  ['an error that is none', (text: Text) => [4, 0, ...text('uncaught'), 0x0b, 1, 0x04, 1], 'protocol'],
])('%s is forged in vain', async (_name, message, kind) => {
  const f = vi.fn()
  const sbx = sandbox({ globals: { f } })
  const bytes = message((value) => [0x08, value.length, ...Buffer.from(value)])
  const container = await sbx.execContainer({
    source: `exports.forge = () => { require('fs').writeSync(3, Buffer.from([${bytes.length}, 0, 0, 0, ${bytes}])); return new Promise(() => {}) }`,
  })
  await expect(container.call('forge')).rejects.toMatchObject({ name: 'ConfineError', end: { kind } })
  expect(f).not.toHaveBeenCalled()
})

type Text = (value: string) => number[]

test.each([
  ['one byte and an end', [7]],
  ['an empty frame', [0, 0, 0, 0]],
  ['a frame of 4 GiB', [255, 255, 255, 255, 1]],
  ['a message of an unknown type', [1, 0, 0, 0, 99]],
  ['an answer to no request', [4, 0, 0, 0, 2, 200, 1, 0]],
  ['text', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
])('%s from the guest ends the guest and nothing else', async (_name, bytes) => {
  const sbx = sandbox()
  const container = await sbx.execContainer({
    source: `exports.f = () => { require('fs').writeSync(3, Buffer.from([${bytes}])); require('fs').closeSync(3); setInterval(() => {}, 1000); return new Promise(() => {}) }`,
  })
  const error = await container.call('f').catch((thrown) => thrown)
  expect(error).toEqual(expect.objectContaining({ name: 'ConfineError', end: expect.anything() }))
  await sbx.whenGuestProcessClosed
  expect(sbx.isGuestProcessActive).toBe(false)
})

test('what is thrown where nobody waits ends the guest with the reason', async () => {
  const sbx = sandbox()
  const errors: any[] = []
  sbx.on('container-runtime-error', (event) => errors.push(event))
  const container = await sbx.execContainer({
    source: 'exports.f = () => new Promise(() => setTimeout(() => { throw new TypeError("nobody waits") }))',
  })
  await expect(container.call('f')).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_THREW', { errorName: 'TypeError' }))
  expect(errors).toMatchObject([{ cid: container.cid, error: { errorName: 'TypeError' } }])
  expect(await sbx.whenGuestProcessClosed).toBe(1)
})

test('a guest that dies rejects whoever waits, with how it ended', async () => {
  const sbx = sandbox()
  const container = await sbx.execContainer({ source: 'exports.f = () => process.kill(process.pid, "SIGKILL")' })
  await expect(container.call('f')).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_ENDED', { end: { kind: 'signaled', signal: 'SIGKILL' } }))
  expect((await container.closed).error).toEqual(failsWith('ERR_CONFINE_GUEST_ENDED'))
  await expect(sbx.init()).resolves.toBeUndefined()
  await expect(container.call('f')).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_ENDED'))
})

test('a guest killed during init rejects init and whoever waits', async () => {
  const sbx = sandbox({ runtimePath: fixture('no-runtime/hangs.cjs') })
  const init = sbx.init()
  const exec = sbx.execContainer({ source: '' })
  const both = Promise.allSettled([init, exec])
  await delay(50)
  sbx.guestProcess?.kill('SIGKILL')
  expect(await both).toEqual([
    { status: 'rejected', reason: failsWith('ERR_CONFINE_GUEST_ENDED') },
    { status: 'rejected', reason: failsWith('ERR_CONFINE_GUEST_ENDED') },
  ])
})

test.each([
  ['no class that fits', 'no-runtime', 'ERR_CONFINE_RUNTIME_INVALID'],
  ['a module that throws', 'no-runtime/throws.cjs', 'ERR_CONFINE_RUNTIME_INVALID'],
  ['a module that exits', 'no-runtime/exits.cjs', 'ERR_CONFINE_GUEST_ENDED'],
])('a runtime that is %s fails init', async (_name, path, code) => {
  const sbx = sandbox({ runtimePath: fixture(path) })
  await expect(sbx.init()).rejects.toEqual(failsWith(code))
  await sbx.whenGuestProcessClosed
})

test('a guest that does not get ready in time is killed', async () => {
  const sbx = sandbox({ runtimePath: fixture('no-runtime/hangs.cjs'), startTimeoutMs: 300 })
  await expect(sbx.init()).rejects.toEqual(
    failsWith('ERR_CONFINE_TIMEOUT', { end: { kind: 'timeout', what: 'its start', timeoutMs: 300 } }),
  )
  expect(sbx.isGuestProcessActive).toBe(false)
})

test('a runtime that can only be imported runs', async () => {
  const sbx = sandbox({ runtimePath: fixture('import-only/main.js') })
  const container = await sbx.execContainer({ source: '' })
  expect(await container.call('x', [1])).toEqual(['x', [1]])
})

test('after a teardown every verb says so, and teardown can be called before anything else', async () => {
  const sbx = sandbox()
  const container = await sbx.execContainer({ source: 'exports.wait = () => new Promise(() => {})' })
  const call = container.call('wait')
  const [code] = await Promise.all([sbx.teardown(), expect(call).rejects.toEqual(failsWith('ERR_CONFINE_TORN_DOWN')), sbx.teardown()])
  expect(code).toBe(143)
  await expect(sbx.execContainer({ source: '' })).rejects.toEqual(failsWith('ERR_CONFINE_TORN_DOWN'))
  await expect(container.call('wait')).rejects.toEqual(failsWith('ERR_CONFINE_TORN_DOWN'))
  await container.close()
  const never = sandbox()
  expect(await never.teardown()).toBe(0)
  await expect(never.init()).rejects.toEqual(failsWith('ERR_CONFINE_TORN_DOWN'))
})

test('a teardown during init rejects init with it', async () => {
  const sbx = sandbox({ runtimePath: fixture('no-runtime/hangs.cjs') })
  const init = expect(sbx.init()).rejects.toEqual(failsWith('ERR_CONFINE_TORN_DOWN'))
  await sbx.teardown()
  await init
})

test('a guest that ignores SIGTERM is killed', async () => {
  const sbx = sandbox()
  await sbx.execContainer({ source: 'process.on("SIGTERM", () => {}); process.reallyExit = () => {}; setInterval(() => {}, 1000)' })
  expect(await sbx.teardown()).toBe(128 + 9)
})

test('a program that cannot be spawned fails init', async () => {
  const isolation = {
    name: 'broken',
    assess: () => ({}) as never,
    confine: (command: any) => ({ ...command, file: '/no/such/program', cwd: '/', descriptors: [] }),
  }
  const sbx = sandbox({ noSandbox: false, isolation })
  await expect(sbx.init()).rejects.toEqual(
    failsWith('ERR_CONFINE_SETUP_FAILED', { end: expect.objectContaining({ stage: 'spawn /no/such/program' }) }),
  )
  expect(await sbx.teardown()).toBe(126)
})

/** A backend whose supervisor is scripted: it says the text on descriptor 4 at once, or when there is a file `after`. */
function scripted(text: string, { missing = [], after }: { missing?: object[]; after?: string } = {}) {
  return {
    name: 'scripted',
    lockPath: '/no/such/lock',
    assess: () => ({ missing }) as never,
    confine: (command: Command) => {
      const entry = command.args.findIndex((arg) => arg.endsWith('.cjs'))
      const says = `const say = () => ${after === undefined} || fs.existsSync(${JSON.stringify(after)}) ? fs.writeSync(4, ${JSON.stringify(text)}) : setTimeout(say, 5)`
      const script = `const fs = require('fs'); ${says}; setTimeout(say); process.argv.splice(1, 0, 'x'); require(${JSON.stringify(command.args[entry])})`
      return {
        ...command,
        args: ['-e', script, ...command.args.slice(entry + 1)],
        cwd: '/',
        descriptors: [{ read: () => (chunk: Uint8Array) => JSON.parse(Buffer.from(chunk).toString()) }],
      }
    },
  }
}

test('source is not sent before the supervisor said locked', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-gate-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const after = join(directory, 'open')
  const sbx = sandbox({ noSandbox: false, isolation: scripted('[{"type":"ready","layers":["x"]},{"type":"locked"}]', { after }) })
  const exec = sbx.execContainer({ source: 'exports.f = () => 1' })
  await expect.poll(() => sbx.ipc).toBeDefined()
  // The guest is up long before this, and would have been asked.
  await delay(400)
  expect(sbx.ipc?.pendingRequests).toBe(0)
  writeFileSync(after, '')
  const container = await exec
  expect(await container.call('f')).toBe(1)
})

test('a lock before the supervisor said what holds is no lock', async () => {
  const sbx = sandbox({ noSandbox: false, isolation: scripted('[{"type":"locked"}]') })
  await expect(sbx.execContainer({ source: '' })).rejects.toEqual(
    failsWith('ERR_CONFINE_SETUP_FAILED', { end: expect.objectContaining({ stage: 'locked' }) }),
  )
})

test('fewer walls than the bar wants fail the launch, with what is missing and what to do', async () => {
  const walls = { files: ['seccomp'], network: ['seccomp', 'net-ns'], processes: ['seccomp', 'pid-ns'], privileges: ['x'], syscalls: ['x'] }
  const ready = JSON.stringify([{ type: 'ready', layers: ['seccomp'], walls }, { type: 'locked' }])
  const missing = [{ layer: 'mount-ns', reason: 'A sysctl forbids it.', remedy: 'Set it to 1.' }]
  const strict = sandbox({ noSandbox: false, isolation: scripted(ready, { missing }) })
  await expect(strict.execContainer({ source: '' })).rejects.toEqual(
    failsWith('ERR_CONFINE_SETUP_FAILED', {
      message: expect.stringMatching(/files by 2 \(seccomp\).*mount-ns: A sysctl forbids it. Set it to 1.*minIsolation/),
    }),
  )
  const lenient = sandbox({ noSandbox: false, isolation: scripted(ready), minIsolation: { files: 1 } })
  await lenient.execContainer({ source: '' })
  expect(lenient.isolation).toEqual({ backend: 'scripted', layers: ['seccomp'], walls, isLocked: true })
})

test('a guest that is ended for fewer walls has not started, though it is ready and the lock is told in the same breath', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-gate-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const after = join(directory, 'open')
  const walls = { files: ['seccomp'], network: ['seccomp', 'net-ns'], processes: ['seccomp', 'pid-ns'], privileges: ['x'], syscalls: ['x'] }
  const ready = JSON.stringify([{ type: 'ready', layers: ['seccomp'], walls }, { type: 'locked' }])
  const sbx = sandbox({ noSandbox: false, isolation: scripted(ready, { after }) })
  const started = expect(sbx.init()).rejects.toEqual(failsWith('ERR_CONFINE_SETUP_FAILED'))
  // Its own word was heard by then.
  await delay(400)
  writeFileSync(after, '')
  await started
  expect(sbx.isolation.isLocked).toBe(false)
})

test.each([
  [
    'a violation',
    [{ type: 'violation', violation: { syscall: 'openat', path: '/x', args: [], time: 1, action: 'kill' } }],
    'SIGSYS',
    { kind: 'violation', violation: { path: '/x' } },
  ],
  ['the memory limit', [{ type: 'limit', limit: 'memory' }], 'SIGKILL', { kind: 'memory', signal: 'SIGKILL' }],
  ['the CPU limit', [], 'SIGXCPU', { kind: 'cpu', signal: 'SIGXCPU' }],
  ['a crash', [], 'SIGSEGV', { kind: 'signaled', signal: 'SIGSEGV' }],
])('%s and what was used are told with the end', async (_name, events, signal, end) => {
  const report = JSON.stringify([{ type: 'ready', layers: ['x'] }, { type: 'locked' }])
  const last = JSON.stringify([...events, { type: 'usage', cpuMs: 12, peakMemoryMiB: 34 }])
  const sbx = sandbox({ noSandbox: false, isolation: scripted(report) })
  const container = await sbx.execContainer({
    source: `exports.f = () => { require('fs').writeSync(4, ${JSON.stringify(last)}); setTimeout(() => process.kill(process.pid, '${signal}'), 50); return new Promise(() => {}) }`,
  })
  await container.call('f').catch(() => {})
  await sbx.whenGuestProcessClosed
  expect(sbx.guestEnd).toMatchObject({ ...end, usage: { cpuMs: 12, peakMemoryMiB: 34, wallMs: expect.any(Number) } })
})

test('a life that is over and output beyond its limit end the guest with the reason', async () => {
  const old = sandbox({ limits: { lifeMs: 300 } })
  // On a busy machine life is over before the container is there.
  const answer = old.execContainer({ source: 'exports.f = () => new Promise(() => {})' }).then((container) => container.call('f'))
  await expect(answer).rejects.toEqual(failsWith('ERR_CONFINE_TIMEOUT', { end: { kind: 'timeout', what: 'its life', timeoutMs: 300 } }))
  const loud = sandbox({ limits: { outputMiB: 1 } })
  const writer = await loud.execContainer({
    source: 'exports.f = () => new Promise(() => setInterval(() => process.stderr.write("x".repeat(65536)), 1))',
  })
  await expect(writer.call('f')).rejects.toEqual(failsWith('ERR_CONFINE_GUEST_ENDED', { end: { kind: 'output', outputMiB: 1 } }))
})

test('a heap that is full ends the guest as out of memory', async () => {
  const sbx = sandbox({ limits: { memoryMiB: 32 } })
  const container = await sbx.execContainer({ source: 'exports.f = () => { const all = []; for (;;) all.push(new Array(1000).fill({})) }' })
  await expect(container.call('f')).rejects.toEqual(
    failsWith('ERR_CONFINE_GUEST_ENDED', { end: { kind: 'memory', signal: expect.any(String) } }),
  )
})

test('the host exits by itself once torn down, and its exit ends the guest', async () => {
  const program = (last: string) => `
    import { Sandbox, resolveRuntime } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    const sbx = new Sandbox({ runtime: resolveRuntime(${JSON.stringify(fixture('plain-runtime'))}), noSandbox: true })
    await sbx.execContainer({ source: 'setInterval(() => {}, 1000)' })
    console.log(sbx.guestProcess.pid)
    ${last}`
  for (const last of ['await sbx.teardown()', 'process.exit()', 'process.kill(process.pid, "SIGKILL")']) {
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program(last)], { timeout: 60_000 })
    const { stdout } = await run.catch((error) => error)
    const pid = Number(stdout)
    expect(pid).toBeGreaterThan(1)
    await expect.poll(() => isAlive(pid)).toBe(false)
  }
})

/** One that nobody has waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('output is passed on when asked for, and drained when not', async () => {
  const flood = 'exports.flood = () => { process.stdout.write("x".repeat(5_000_000)); process.stderr.write("e"); return 1 }'
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => write.mockRestore())
  for (const pipeStdout of [false, true]) {
    const sbx = sandbox({ pipeStdout })
    const container = await sbx.execContainer({ source: flood })
    expect(await container.call('flood')).toBe(1)
    await sbx.teardown()
    const bytes = write.mock.calls.reduce((sum, [chunk]) => sum + chunk.length, 0)
    expect(bytes > 0).toBe(pipeStdout)
  }
})

test('logSpawn prints the command', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  await sandbox({ logSpawn: true }).init()
  expect(log.mock.calls[0]?.[0]).toBe('SPAWN')
  expect(log.mock.calls[0]?.[1]).toBe(process.execPath)
  expect(log.mock.calls[0]?.[2].join(' ')).toContain('plain-runtime')
})

test('the guest inherits nothing of the environment', async () => {
  process.env.HOST_SECRET = 'canary'
  onTestFinished(() => {
    delete process.env.HOST_SECRET
  })
  const container = await sandbox().execContainer({ source: 'exports.env = () => Object.keys(process.env)' })
  expect(await container.call('env')).toEqual(['HOME', 'PATH', 'LANG', 'TZ', 'OPENSSL_CONF'])
})

test('a descriptor that resolveRuntime made can be used twice', async () => {
  const runtime = resolveRuntime(fixture('plain-runtime'))
  for (let i = 0; i < 2; i++) await sandbox({ runtime }).init()
})
