import { once } from 'node:events'
import { connect, Server, type Socket } from 'node:net'
import { duplexPair, type Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { newSecret, secretBytes, shakeHands } from '../src/handshake.ts'
import { linkSockets } from '../src/socket-link.ts'

const stranger = { code: 'ERR_CONFINE_CHANNEL_CLOSED' }

function pair(): [Duplex, Duplex] {
  const [left, right] = duplexPair()
  return [left, right]
}

test('two ends that know one secret find each other, and what follows is left to them', async () => {
  const [left, right] = pair()
  const secret = newSecret()
  const greeting = shakeHands(left, secret, 'listens').then(() => left.write('hello'))
  await shakeHands(right, secret, 'connects')
  await greeting
  expect(String((await once(right, 'data'))[0])).toBe('hello')
  expect(secret).toHaveLength(32)
  expect(newSecret()).not.toEqual(secret)
})

test.each(['listens', 'connects'] as const)('an end that does not know the secret is sent away by the one that %s', async (side) => {
  const [left, right] = pair()
  const other = side === 'listens' ? 'connects' : 'listens'
  const outcomes = await Promise.allSettled([shakeHands(left, newSecret(), side), shakeHands(right, newSecret(), other)])
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: stranger })
  expect(left.destroyed).toBe(true)
})

test('what an end says, said back to it, proves nothing', async () => {
  for (const side of ['listens', 'connects'] as const) {
    const [left, right] = pair()
    right.on('data', (bytes: Buffer) => {
      for (let i = 0; i < 3; i++) right.write(bytes)
    })
    if (side === 'connects') right.write(Buffer.alloc(secretBytes))
    await expect(shakeHands(left, newSecret(), side)).rejects.toMatchObject(stranger)
  }
})

test('a proof that was overheard is worth nothing the next time', async () => {
  const secret = newSecret()
  const overheard: Buffer[] = []
  const [left, right] = pair()
  const write = right.write.bind(right) as (bytes: Buffer) => boolean
  right.write = ((bytes: Buffer) => {
    overheard.push(bytes)
    return write(bytes)
  }) as never
  await Promise.all([shakeHands(left, secret, 'listens'), shakeHands(right, secret, 'connects')])
  const [again, enemy] = pair()
  for (const bytes of overheard) enemy.write(bytes)
  await expect(shakeHands(again, secret, 'listens')).rejects.toMatchObject(stranger)
})

test.each([0, 1, 31, 33])('an end that goes away after %i bytes is not waited for', async (count) => {
  const [left, right] = pair()
  right.end(Buffer.alloc(count))
  await expect(shakeHands(left, newSecret(), 'listens')).rejects.toMatchObject(stranger)
})

function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {}).once('close', () => resolve())
    socket.resume()
  })
}

test.each(['unix', 'tcp'] as const)('a %s link is one connection on this machine, and its server listens no more', async (kind) => {
  const { server, near, far, serverPort, clientPort } = await linkSockets(kind)
  onTestFinished(() => {
    near.destroy()
    far.destroy()
  })
  expect(server.listening).toBe(false)
  far.write('from afar')
  expect(String((await once(near, 'data'))[0])).toBe('from afar')
  if (kind === 'unix') return
  expect(near.remotePort).toBe(clientPort)
  expect([near.localAddress, near.remoteAddress]).toEqual(['127.0.0.1', '127.0.0.1'])
  await gone(connect(serverPort as number, '127.0.0.1'))
})

test('strangers who connect while a server listens, and say nothing or anything, are sent away', async () => {
  const strangers: Socket[] = []
  const { listen } = Server.prototype
  onTestFinished(() => {
    Server.prototype.listen = listen
  })
  // They are there as soon as the server listens, before the right one.
  Server.prototype.listen = function (this: Server, ...args: never[]) {
    this.once('listening', () => {
      const { port } = this.address() as { port: number }
      for (let i = 0; i < 50; i++) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        if (i % 2 === 0) socket.write(Buffer.alloc(100, i))
        strangers.push(socket)
      }
    })
    return listen.apply(this, args as never)
  } as never
  const { near, far } = await linkSockets('tcp')
  Server.prototype.listen = listen
  await Promise.all(strangers.map(gone))
  near.write('still here')
  expect(String((await once(far, 'data'))[0])).toBe('still here')
  near.destroy()
  far.destroy()
})
