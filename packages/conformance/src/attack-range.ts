import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { AttackTarget } from './attack.ts'
import { openDirectory } from './open-directory.ts'

/** Harmless things of this host for attacks to aim at, and a look at whether they were hit. */
export interface AttackRange extends AsyncDisposable {
  /** What to hand to `attempt`. A process that was ended is another one the next time. */
  readonly target: AttackTarget
  /** What shows that they were touched since the last look, whatever the guest says, in words: empty when nothing does. */
  traces(): string[]
}

/** Puts up a file and a directory that everybody may write, three servers on loopback and a process, until it is disposed of. */
export async function openAttackRange(): Promise<AttackRange> {
  const place = openDirectory()
  const { directory, file, unixSocket } = place
  let contacts: string[] = []
  const contact = (what: string) => contacts.push(what)
  const [tcp, unix, names] = [listener('TCP', contact), listener('unix', contact), nameServer(contact)]
  tcp.listen(0, '127.0.0.1')
  unix.listen(unixSocket)
  names.bind(0, '127.0.0.1')
  await Promise.all([tcp, unix, names].map((server) => once(server, 'listening')))
  const port = (tcp.address() as AddressInfo).port
  const nameServerPort = names.address().port
  let entries = place.entries()
  let victim = bystander()
  return {
    get target() {
      if (hasEnded(victim)) victim = bystander()
      return { file, directory, port, nameServerPort, unixSocket, pid: victim.pid as number }
    },
    traces() {
      const found = place.entries()
      const traces = [
        ...contacts,
        ...(hasEnded(victim) ? ['a process of the host was ended'] : []),
        ...(place.isUntouched() ? [] : ['a file of the host was changed']),
        ...found.filter((name) => !entries.includes(name)).map((name) => `a file of the host was made: ${name}`),
      ]
      contacts = []
      entries = found
      return traces
    },
    async [Symbol.asyncDispose]() {
      victim.kill('SIGKILL')
      for (const server of [tcp, unix, names]) server.close()
      place.remove()
    },
  }
}

/** Ends with this process: its stdin closes. */
function bystander(): ChildProcess {
  return spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }).on('error', () => {})
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Takes connections and ends them at once. */
function listener(kind: string, contact: (what: string) => void): Server {
  return createServer((socket) => {
    contact(`a ${kind} server of the host was connected to`)
    socket.on('error', () => {}).end()
  })
}

/** Turns every question into the answer that there is no such name. */
function nameServer(contact: (what: string) => void): Socket {
  const socket = createSocket('udp4')
  return socket.on('message', (message, { port }) => {
    contact('a name server of the host was asked')
    message[2] = 0x80 | (message[2] as number)
    message[3] = 0x83
    socket.send(message, port, '127.0.0.1')
  })
}
