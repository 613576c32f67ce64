import { writeSync } from 'node:fs'
import type { Socket, SocketConstructorOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Channel } from '@confine-sandbox/contract'
import { openPipe, PipeSocket } from './pipe-socket.ts'
import { type OwnSocket, type StreamChannelOptions, socketChannel, streamChannel } from './stream-channel.ts'

/** A socket that this process inherited, which keeps it alive unless told otherwise. */
export interface InheritedSocket {
  ref(): unknown
  unref(): unknown
}

/** A channel over a socket that this process inherited as a descriptor, and that socket. */
export function inheritedChannel(
  fd: number,
  options: StreamChannelOptions = {},
): { readonly channel: Channel; readonly socket: InheritedSocket } {
  const reads = new OwnReads()
  const pipe = openPipe(fd)
  const socket = pipe === undefined ? readInto(reads, { fd }) : new PipeSocket(pipe, reads.buffer, reads.callback)
  const write = (bytes: Buffer, length: number) => writeNow(fd, bytes, length)
  return { channel: socketChannel(socket, options, reads.of(socket, write)), socket }
}

/**
 * A channel over a socket to a process that was just spawned, and what to write to or destroy in the place of the given socket.
 * The channel must be opened before this tick is over.
 */
export function spawnedChannel(
  spawned: Duplex,
  options: StreamChannelOptions = {},
): { readonly channel: Channel; readonly socket: Duplex } {
  const { _handle: handle } = spawned as { _handle?: object | null }
  if (!handle || !('useUserBuffer' in handle)) return { channel: streamChannel(spawned, options), socket: spawned }
  const reads = new OwnReads()
  // The handle changes hands before anything was read or written. Only at its birth can a socket be told where to read to.
  Object.assign(spawned, { _handle: null })
  const socket = readInto(reads, { handle })
  socket.once('close', () => spawned.destroy())
  return { channel: socketChannel(socket, options, reads.of(socket)), socket }
}

/** Reads into one buffer: no allocation for each, and none of a stream's steps between the system and the decoder. */
class OwnReads {
  readonly buffer = Buffer.allocUnsafeSlow(readBytes)
  readonly callback = (length: number): boolean => this.#take(this.buffer.subarray(0, length))
  #take = (_chunk: Buffer): boolean => true

  of(socket: { resume(): unknown }, write?: OwnSocket['write']): OwnSocket {
    const open = (take: (chunk: Buffer) => boolean) => {
      this.#take = take
      socket.resume()
    }
    return { memory: this.buffer.buffer, open, ...(write === undefined ? {} : { write }) }
  }
}

/** @param from A descriptor, or the handle of another socket, which Node takes and does not document. */
function readInto({ buffer, callback }: OwnReads, from: { fd: number } | { handle: object }): Socket {
  const net = process.getBuiltinModule('node:net')
  const options: SocketConstructorOpts = { readable: true, writable: true, onread: { buffer, callback } }
  return new net.Socket(Object.assign(options, from))
}

/** As much as libuv reads at once from a socket that has more. */
const readBytes = 64 * 1024

// Taken before guest code can touch `fs`.
const write = writeSync

/** How many bytes the system took at once. What else there is to say of the descriptor, its stream says. */
function writeNow(fd: number, bytes: Buffer, length: number): number {
  try {
    return write(fd, bytes, 0, length)
  } catch {
    return 0
  }
}
