import { type ChildProcess, spawn } from 'node:child_process'
import { timingSafeEqual } from 'node:crypto'
import { rmdirSync, unlinkSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { headerBytes, type Order, type Report, secretBytes } from './messages.ts'

// The spawner: a small process that starts guests for a large host. It hears the host alone, and everything that it
// started ends with it, as it ends with the host.

interface Launch {
  /** By descriptor, from 1 on. */
  readonly sockets: (Socket | undefined)[]
  order?: Extract<Order, { kind: 'launch' }>
}

const launches = new Map<number, Launch>()
const processes = new Map<number, ChildProcess>()
/** Those that were given up: what still arrives for them is nobody's. */
const cancelled = new Set<number>()
/** Connections that have not said yet whose they are. Another process of this user can make some. */
const strangers = new Set<Socket>()
const mostStrangers = 1024
let secret: Uint8Array = new Uint8Array()
/** As long as it is there. */
let path: string | undefined

const tell = (report: Report) => {
  // A host that is gone hears nothing; `disconnect` follows.
  if (process.connected) process.send?.(report)
}

process.on('message', (order: Order) => {
  if (order.kind === 'listen') listen(order.address, order.secret)
  else if (order.kind === 'hidden') path = undefined
  else if (order.kind === 'cancel') cancel(order.id)
  else if (order.kind === 'kill') {
    cancel(order.id)
    processes.get(order.id)?.kill(order.signal)
    tell({ kind: 'heard', id: order.id })
  } else {
    launchOf(order.id).order = order
    startIfWhole(order.id)
  }
})
process.on('disconnect', () => {
  // A supervisor ends with its parent by the kernel's hand; this is for any other.
  for (const child of processes.values()) child.kill('SIGKILL')
  removePath()
  process.exit()
})

/** Of a host that has not come to it. */
function removePath(): void {
  if (path === undefined) return
  try {
    unlinkSync(path)
  } catch {}
  try {
    rmdirSync(dirname(path))
  } catch {}
}

/** A launch that waits for its connections waits no more. */
function cancel(id: number): void {
  const launch = launches.get(id)
  if (launch === undefined) return
  launches.delete(id)
  cancelled.add(id)
  for (const socket of launch.sockets) socket?.destroy()
  tell({ kind: 'failed', id, code: undefined, message: 'it was given up before it began' })
}

function listen(address: string, hex: string): void {
  path = address
  secret = Buffer.from(hex, 'hex')
  const server = createServer((socket) => {
    if (strangers.size >= mostStrangers) strangers.values().next().value?.destroy()
    strangers.add(socket)
    socket.on('error', () => {}).on('close', () => strangers.delete(socket))
    const hear = () => {
      const header = socket.read(headerBytes) as Buffer | null
      if (header === null) return
      socket.off('readable', hear)
      strangers.delete(socket)
      if (header.length === headerBytes && timingSafeEqual(header.subarray(0, secretBytes), secret)) take(socket, header)
      else socket.destroy()
    }
    socket.on('readable', hear)
  })
  server.listen({ path: address, backlog: 4096 }, () => tell({ kind: 'listening' }))
}

function take(socket: Socket, header: Buffer): void {
  const id = header.readUInt32LE(secretBytes)
  if (cancelled.has(id)) return void socket.destroy()
  launchOf(id).sockets[header.readUInt8(secretBytes + 4)] = socket
  startIfWhole(id)
}

function launchOf(id: number): Launch {
  const launch = launches.get(id) ?? { sockets: [] }
  launches.set(id, launch)
  return launch
}

function startIfWhole(id: number): void {
  const { order, sockets } = launchOf(id)
  if (order === undefined) return
  const given = sockets.slice(1).filter((socket) => socket !== undefined)
  if (given.length < order.sockets) return
  launches.delete(id)
  try {
    const { file, args, cwd, env } = order
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', ...given] })
    child.once('error', ({ message, code }: NodeJS.ErrnoException) => {
      if (child.pid === undefined) tell({ kind: 'failed', id, code, message })
    })
    child.once('exit', (code, signal) => {
      processes.delete(id)
      tell({ kind: 'exited', id, code, signal })
    })
    if (child.pid !== undefined) {
      processes.set(id, child)
      tell({ kind: 'spawned', id, pid: child.pid })
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    tell({ kind: 'failed', id, code, message })
  }
  // The process has its own descriptors of them.
  for (const socket of given) socket.destroy()
}
