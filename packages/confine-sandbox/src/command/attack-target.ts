import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AttackTarget } from '@confine-sandbox/conformance'

/** Harmless things to aim at, all of them on this machine, and a look at whether they were hit. */
export interface Range extends AsyncDisposable {
  readonly target: AttackTarget
  /** What has happened to the targets since the last look, whatever the guest says; undefined: nothing. */
  damage(): string | undefined
}

/** Sets the targets up: a file that everybody may read and write, listeners on loopback, a process. */
export async function openRange(): Promise<Range> {
  const directory = mkdtempSync(join(tmpdir(), 'confine-attack-'))
  // Nobody is in the way but the sandbox: not permissions, not owners.
  chmodSync(directory, 0o777)
  const file = join(directory, 'secret')
  writeFileSync(file, canary)
  chmodSync(file, 0o666)
  let contacts = 0
  const listener = () =>
    createServer((socket) => {
      contacts++
      socket.on('error', () => {}).end()
    })
  const [tcp, unix, names] = [listener(), listener(), createSocket('udp4')]
  names.on('message', () => contacts++)
  tcp.listen(0, '127.0.0.1')
  const unixSocket = join(directory, 'host.sock')
  unix.listen(unixSocket)
  names.bind(0, '127.0.0.1')
  await Promise.all([tcp, unix, names].map((server) => once(server, 'listening')))
  let victim = sleeper()
  let entries = listing()

  return {
    get target() {
      if (!isAlive(victim)) victim = sleeper()
      const { pid } = victim
      return {
        file,
        directory,
        port: (tcp.address() as AddressInfo).port,
        nameServerPort: names.address().port,
        unixSocket,
        pid: pid as number,
      }
    },
    damage() {
      const hits = [
        ...(contacts > 0 ? [`${contacts} connections or packets arrived`] : []),
        ...(readFileSync(file, 'latin1') === canary ? [] : ['the file was changed']),
        ...(listing() === entries ? [] : ['the directory was changed']),
        ...(isAlive(victim) ? [] : ['the process was ended']),
      ]
      contacts = 0
      entries = listing()
      return hits.length === 0 ? undefined : hits.join(', ')
    },
    async [Symbol.asyncDispose]() {
      for (const server of [tcp, unix, names]) server.close()
      victim.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }

  function listing(): string {
    return readdirSync(directory).sort().join('\n')
  }
}

const canary = 'canary of the host'

/** Ends with this process: its stdin closes. */
function sleeper(): ChildProcess {
  return spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }).on('error', () => {})
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}
