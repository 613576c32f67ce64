import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ListenOptions, type Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfineError } from '@confine-sandbox/contract'
import { newSecret, shakeHands } from './handshake.ts'

/** A connection of this process with itself: one end stays, the other is handed on. */
export interface SocketLink {
  /** It listened until this one connection stood, and listens no more. */
  readonly server: Server
  /** Of TCP: where the server listened, and the port of the end that is handed on. */
  readonly serverPort?: number
  readonly clientPort?: number
  readonly near: Socket
  readonly far: Socket
}

/**
 * Makes a server that only this machine can reach, connects to it once, and makes sure by a handshake with a secret that
 * both ends are this process's own. The server does not listen any more when this returns.
 * @throws ERR_CONFINE_SETUP_FAILED
 */
export async function linkSockets(kind: 'unix' | 'tcp', timeoutMs = 10_000): Promise<SocketLink> {
  const secret = newSecret()
  const accepted = new Set<Socket>()
  const far = new Socket()
  const { promise: stood, resolve, reject } = Promise.withResolvers<Socket>()
  const server = createServer((socket) => {
    // Strangers may come as well, and say nothing: they must not keep the right one out.
    if (accepted.size >= maxStrangers) accepted.values().next().value?.destroy()
    accepted.add(socket)
    socket.on('error', () => {}).once('close', () => accepted.delete(socket))
    shakeHands(socket, secret, 'listens').then(
      () => resolve(socket),
      () => {},
    )
  })
  server.on('error', reject)
  far.on('error', reject)
  const timer = setTimeout(() => reject(new Error(`no connection stood within ${timeoutMs} ms`)), timeoutMs)
  let directory: string | undefined
  try {
    // Only this user enters it.
    directory = kind === 'unix' ? await mkdtemp(join(tmpdir(), 'confine-')) : undefined
    const where: ListenOptions & { host?: string; port?: number } =
      directory === undefined ? { host: '127.0.0.1', port: 0 } : { path: join(directory, 'ipc') }
    server.listen(where)
    await Promise.race([once(server, 'listening'), stood])
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const connecting = async (): Promise<Socket> => {
      far.connect(port === undefined ? { path: where.path as string } : { host: '127.0.0.1', port })
      await shakeHands(far, secret, 'connects')
      return await stood
    }
    const near = await Promise.race([connecting(), stood.then(() => new Promise<never>(() => {}))])
    accepted.delete(near)
    const clientPort = far.localPort
    if (port !== undefined) for (const socket of [near, far]) socket.setNoDelay(true)
    return { server, near, far, ...(port === undefined ? {} : { serverPort: port, ...(clientPort === undefined ? {} : { clientPort }) }) }
  } catch (error) {
    far.destroy()
    stood.then(
      (socket) => socket.destroy(),
      () => {},
    )
    const reason = (error as Error).message
    throw new ConfineError('ERR_CONFINE_SETUP_FAILED', `Cannot connect the guest by ${kind}: ${reason}`, { cause: error })
  } finally {
    clearTimeout(timer)
    server.close()
    for (const socket of accepted) socket.destroy()
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  }
}

const maxStrangers = 32
