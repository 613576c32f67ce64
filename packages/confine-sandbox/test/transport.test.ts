import { createServer, Server } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Sandbox, type SandboxConstructorOpts } from '../src/index.ts'

function sandbox(options: SandboxConstructorOpts): Sandbox {
  const sbx = new Sandbox(options)
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}

const runtime = 'jseval-confine-runtime'
const places: [string, SandboxConstructorOpts][] = [
  ['unix, confined', { runtime, transport: 'unix' }],
  ['unix, an isolate, confined', { runtime: 'jsisolate-confine-runtime', transport: 'unix' }],
  ['unix, unconfined', { runtime, transport: 'unix', noSandbox: true }],
  ['tcp, unconfined', { runtime, transport: 'tcp', noSandbox: true }],
]

describe.each(places)('%s', (_name, options) => {
  test('carries calls of both directions over one connection that nobody else can make', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'confine-transport-'))
    vi.stubEnv('TMPDIR', directory)
    onTestFinished(() => {
      vi.unstubAllEnvs()
      rmSync(directory, { recursive: true })
    })
    const sbx = sandbox({ ...options, globals: { twice: (n: number) => n * 2 } })
    const container = await sbx.execContainer({
      source: `exports.f = async (n) => (await twice(n)) + 1
               exports.big = (bytes) => bytes
               exports.count = async function* () { for (let i = 0; i < 200; i++) yield i }`,
    })
    expect(await container.call('f', [20])).toBe(41)
    const bytes = new Uint8Array(3_000_000).fill(7)
    expect(Buffer.compare(await container.call('big', [bytes]), bytes)).toBe(0)
    let sum = 0
    for await (const n of await container.call('count')) sum += n
    expect(sum).toBe(19_900)
    expect(sbx.ipcServer).toBeInstanceOf(Server)
    expect(sbx.ipcServer?.listening).toBe(false)
    const isTcp = options.transport === 'tcp'
    for (const port of [sbx.ipcServerPort, sbx.ipcClientPort]) expect(typeof port).toBe(isTcp ? 'number' : 'undefined')
    expect(sbx.ipcClientPort === sbx.ipcServerPort).toBe(!isTcp)
    expect(sbx.isolation.isLocked).toBe(true)
    expect(await sbx.teardown()).toBe(128 + 15)
    expect(readdirSync(directory)).toEqual([])
  })
})

test('a guest that ends is heard of, whatever carries the calls', async () => {
  const sbx = sandbox({ runtime, transport: 'unix' })
  const container = await sbx.execContainer({ source: 'exports.leave = () => process.exit(5)' })
  await expect(container.call('leave')).rejects.toMatchObject({ name: 'ConfineError' })
  expect(await container.closed).toMatchObject({ exitCode: 5 })
  expect(await sbx.whenGuestProcessClosed).toBe(5)
})

test('a confined guest is given no TCP socket, which could be connected again', () => {
  expect(() => new Sandbox({ runtime, transport: 'tcp' })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining('TCP') }),
  )
  expect(() => new Sandbox({ runtime, transport: 'carrier pigeon' as never })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }),
  )
})

test('a confined guest cannot connect the socket of its calls again, nor make another', async () => {
  const canary = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void canary.close())
  let connections = 0
  canary.on('connection', () => connections++)
  await new Promise((resolve) => canary.once('listening', resolve))
  const { port } = canary.address() as { port: number }
  const sbx = sandbox({ runtime, transport: 'unix', onViolation: 'deny' })
  const container = await sbx.execContainer({
    source: `exports.f = (port) => new Promise((resolve) => {
      const { Socket } = require('net')
      new Socket().on('error', (error) => resolve(error.code)).on('connect', () => resolve('connected')).connect(port, '127.0.0.1')
    })`,
  })
  expect(await container.call('f', [port])).toMatch(/^E(PERM|ACCES|NETUNREACH|NFILE|MFILE)$/)
  expect(connections).toBe(0)
})

test('a sandbox that is torn down while it connects launches nothing', async () => {
  const sbx = sandbox({ runtime, transport: 'unix' })
  const launch = sbx.init().catch((error) => error)
  await sbx.teardown()
  expect(await launch).toMatchObject({ code: 'ERR_CONFINE_TORN_DOWN' })
  expect(sbx.guestProcess).toBeUndefined()
})
