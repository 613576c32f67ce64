import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { ConfineError } from '@confine-sandbox/contract'

/** Bytes of a secret, of a challenge and of a proof: 256 bits each. */
export const secretBytes = 32

/** A new secret for one connection. */
export function newSecret(): Buffer {
  return randomBytes(secretBytes)
}

/**
 * Makes sure that both ends of a connection know one secret, without sending it. The listening side sends a challenge; the
 * connecting side answers with a challenge of its own and its proof; the listening side proves itself last. Each proof names
 * its side and covers both challenges, so none can be played back or mirrored. What follows on the stream is left in it.
 * @throws ERR_CONFINE_CHANNEL_CLOSED when the other end does not know the secret or goes away; the stream is destroyed then.
 */
export async function shakeHands(stream: Duplex, secret: Uint8Array, side: 'listens' | 'connects'): Promise<void> {
  try {
    const own = randomBytes(secretBytes)
    if (side === 'listens') {
      stream.write(own)
      const theirs = await read(stream)
      check(await read(stream), proof(secret, 'connects', own, theirs))
      stream.write(proof(secret, 'listens', own, theirs))
    } else {
      const theirs = await read(stream)
      stream.write(Buffer.concat([own, proof(secret, 'connects', theirs, own)]))
      check(await read(stream), proof(secret, 'listens', theirs, own))
    }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

function proof(secret: Uint8Array, side: string, listening: Uint8Array, connecting: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`confine-sandbox ${side}`).update(listening).update(connecting).digest()
}

function check(given: Buffer, wanted: Buffer): void {
  if (!timingSafeEqual(given, wanted)) throw closed('does not know the secret')
}

/** The next 32 bytes, and no more. */
async function read(stream: Duplex): Promise<Buffer> {
  for (;;) {
    const bytes = stream.read(secretBytes) as Buffer | null
    if (bytes?.length === secretBytes) return bytes
    // At its end a stream gives less than it was asked for.
    if (bytes !== null || stream.readableEnded || stream.destroyed) throw closed('went away')
    await readable(stream)
  }
}

function readable(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      stop()
      resolve()
    }
    const fail = () => {
      stop()
      reject(closed('went away'))
    }
    const stop = () => {
      stream.off('readable', done).off('end', done).off('close', fail).off('error', fail)
    }
    stream.on('readable', done).on('end', done).on('close', fail).on('error', fail)
  })
}

function closed(why: string): ConfineError {
  return new ConfineError('ERR_CONFINE_CHANNEL_CLOSED', `The other end of the connection ${why}`)
}
