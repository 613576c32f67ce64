import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Attack, attacks, type AttackTarget } from '@confine-sandbox/conformance'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox, type Violation } from '../src/index.ts'

const canary = 'canary of the host'
let target: AttackTarget
let close: () => void
let victim: ChildProcess
let contacts = 0

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  const file = join(directory, 'secret')
  const unixSocket = join(directory, 'host.sock')
  writeFileSync(file, canary)
  const [tcp, unix, names] = [listener(), listener(), nameServer()]
  tcp.listen(0, '127.0.0.1')
  unix.listen(unixSocket)
  names.bind(0, '127.0.0.1')
  await Promise.all([tcp, unix, names].map((server) => once(server, 'listening')))
  close = () => {
    for (const server of [tcp, unix, names]) server.close()
    rmSync(directory, { recursive: true, force: true })
  }
  victim = spawn('sleep', ['600'], { stdio: 'ignore' })
  const port = (tcp.address() as AddressInfo).port
  target = { file, directory, port, nameServerPort: names.address().port, unixSocket, pid: victim.pid as number }
})

afterAll(() => {
  victim.kill('SIGKILL')
  close()
})

describe.each(attacks)('a guest that tries to $act', (attack) => {
  test('succeeds without isolation', async () => {
    revive()
    expect(await control(attack)).toMatchObject({ got: expect.anything() })
  })

  test('fails within it, is reported, and ends with SIGSYS', async () => {
    revive()
    const before = contacts
    await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
    const violations: Violation[] = []
    sbx.on('violation', (violation) => violations.push(violation))
    const container = await sbx.execContainer({ source: attack.source })
    await expect(container.call('attempt', [target])).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED', end: { kind: 'violation' } })
    await sbx.whenGuestProcessClosed
    expect(sbx.guestExitSignal).toBe('SIGSYS')
    expect(violations).toMatchObject([{ syscall: expect.any(String), action: 'kill' }])
    expect(contacts).toBe(before)
    expect(victim.signalCode).toBeNull()
  })

  test("fails within it with an errno where onViolation is 'deny', and the guest lives on", async () => {
    revive()
    const before = contacts
    const entries = readdirSync(target.directory)
    await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime', onViolation: 'deny' })
    const container = await sbx.execContainer({ source: `${attack.source}; exports.isAlive = () => true` })
    await expect(container.call('attempt', [target])).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_THREW' })
    expect(await container.call('isAlive')).toBe(true)
    expect(contacts).toBe(before)
    expect(readdirSync(target.directory)).toEqual(entries)
  })
})

/** Takes connections and ends them at once. */
function listener(): Server {
  return createServer((socket) => {
    contacts++
    socket.on('error', () => {})
    socket.end()
  })
}

/** Turns every question into the answer that there is no such name. */
function nameServer(): Socket {
  const socket = createSocket('udp4')
  return socket.on('message', (message, { port }) => {
    contacts++
    message[2] = 0x80 | (message[2] as number)
    message[3] = 0x83
    socket.send(message, port, '127.0.0.1')
  })
}

/** Runs an attack without isolation: in this network, or where there is none when it is aimed outside. */
async function control({ id, isAimedOutside }: Attack): Promise<unknown> {
  const program = [fileURLToPath(new URL('attempt.mjs', import.meta.url)), id, '{"noSandbox":true}', JSON.stringify(target)]
  const withoutNetwork = process.getuid?.() === 0 ? ['unshare', '-n'] : ['unshare', '-rn']
  const [file, ...args] = [...(isAimedOutside ? withoutNetwork : []), process.execPath, ...program] as [string, ...string[]]
  const { stdout } = await promisify(execFile)(file, args)
  return JSON.parse(stdout)
}

/** SIGUSR1 ends a process that is no Node. */
function revive(): void {
  if (victim.exitCode === null && victim.signalCode === null) return
  victim = spawn('sleep', ['600'], { stdio: 'ignore' })
  target = { ...target, pid: victim.pid as number }
}
