import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AttackTarget } from '../attack.ts'

/** Harmless things of this host for one attack to aim at. */
export interface Range {
  readonly target: AttackTarget
  /** What shows that the target was touched: empty when nothing did. */
  traces(): string[]
  remove(): void
}

/** Puts up a file, three servers on loopback and a process, and watches them. */
export async function putUpTarget(): Promise<Range> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-target-')))
  const file = join(directory, 'secret')
  const unixSocket = join(directory, 'host.sock')
  const contacts: string[] = []
  writeFileSync(file, canary)
  const [tcp, unix, names] = [listener('TCP', contacts), listener('unix', contacts), nameServer(contacts)]
  tcp.listen(0, '127.0.0.1')
  unix.listen(unixSocket)
  names.bind(0, '127.0.0.1')
  await Promise.all([tcp, unix, names].map((server) => once(server, 'listening')))
  const victim = spawn('sleep', ['600'], { stdio: 'ignore' })
  const entries = readdirSync(directory)
  return {
    target: {
      file,
      directory,
      port: (tcp.address() as AddressInfo).port,
      nameServerPort: names.address().port,
      unixSocket,
      pid: victim.pid as number,
    },
    traces: () => [
      ...contacts,
      ...(hasEnded(victim) ? ['a process of the host was ended'] : []),
      ...(readFileSync(file, 'utf8') === canary ? [] : ['a file of the host was changed']),
      ...readdirSync(directory)
        .filter((name) => !entries.includes(name))
        .map((name) => `a file of the host was made: ${name}`),
    ],
    remove() {
      victim.kill('SIGKILL')
      for (const server of [tcp, unix, names]) server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const canary = 'canary of the host'

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Takes connections and ends them at once. */
function listener(kind: string, contacts: string[]): Server {
  return createServer((socket) => {
    contacts.push(`a ${kind} server of the host was connected to`)
    socket.on('error', () => {})
    socket.end()
  })
}

/** Turns every question into the answer that there is no such name. */
function nameServer(contacts: string[]): Socket {
  const socket = createSocket('udp4')
  return socket.on('message', (message, { port }) => {
    contacts.push('a name server of the host was asked')
    message[2] = 0x80 | (message[2] as number)
    message[3] = 0x83
    socket.send(message, port, '127.0.0.1')
  })
}
