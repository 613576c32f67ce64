import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const child = fileURLToPath(new URL('socket-child.cjs', import.meta.url))

/** A child that takes bytes over an inherited socket. */
export async function openSocket() {
  const process_ = spawn(process.execPath, [child], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env: {} })
  const socket = process_.stdio[3]
  return {
    pid: process_.pid,
    async send(bytes) {
      const header = Buffer.alloc(4)
      header.writeUInt32LE(bytes.length)
      socket.cork()
      socket.write(header)
      socket.write(bytes)
      socket.uncork()
      await once(socket, 'data')
    },
    async close() {
      socket.end()
      await once(process_, 'exit')
    },
  }
}
