import { readSync } from 'node:fs'
import type { Duplex } from 'node:stream'

/**
 * Node destroys a socket that it cannot write to, and with it what the other side said before it went. This reads it first.
 * @param socket Nobody else reads it. One without a descriptor is left as it is.
 * @param take Is given what was left when a write has failed, which may be nothing. The socket is destroyed right after.
 */
export function keepLastWords(socket: Duplex, take: (bytes: Buffer, error: Error) => void): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error) => {
    if (!socket.destroyed && isOfWrite(error)) {
      // What is read here is given to nobody but `take`.
      socket.removeAllListeners('data')
      take(Buffer.concat([...buffered(socket), ...unread(socket)]), error)
    }
    return destroy(error)
  }
}

function isOfWrite(error: Error | null | undefined): error is Error {
  return (error as NodeJS.ErrnoException | null | undefined)?.syscall === 'write'
}

function* buffered(socket: Duplex): Generator<Buffer> {
  while (socket.readableLength > 0) {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    yield chunk
  }
}

/** What the system still has: no more than a socket holds, as nobody writes there any more. */
function* unread(socket: Duplex): Generator<Buffer> {
  const fd = (socket as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1
  for (let left = fd < 0 ? 0 : mostBytes; left > 0; ) {
    const chunk = Buffer.allocUnsafeSlow(chunkBytes)
    let length = 0
    try {
      length = readSync(fd, chunk, 0, chunkBytes, null)
    } catch {
      // Nothing is left, or nothing can be read.
    }
    if (length === 0) return
    yield chunk.subarray(0, length)
    left -= length
  }
}

const chunkBytes = 64 * 1024

/** More than a socket holds by default. */
const mostBytes = 16 * 1024 * 1024
