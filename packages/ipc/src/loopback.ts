import { EventEmitter } from 'node:events'
import type { Channel } from '@confine-sandbox/contract'
import type { ByteSocket } from './byte-socket.ts'
import { socketChannel } from './stream-channel.ts'

/** Two ends of a channel within one process, which take the same way as those over an inherited socket, but for the socket. */
export function loopbackChannels(): [Channel, Channel] {
  const left = new LoopbackSocket()
  const right = new LoopbackSocket()
  left.other = right
  right.other = left
  return [left.channel(), right.channel()]
}

/** A socket that takes all at once. */
class LoopbackSocket extends EventEmitter implements ByteSocket {
  readonly writableHighWaterMark = 0
  readonly writableLength = 0
  destroyed = false
  other: LoopbackSocket | undefined
  readonly #memory = Buffer.allocUnsafeSlow(memoryBytes)
  #take = (_chunk: Buffer): boolean => true

  channel(): Channel {
    const open = (take: (chunk: Buffer) => boolean) => {
      this.#take = take
    }
    const write = (bytes: Buffer, length: number) => {
      this.write(bytes.subarray(0, length))
      return length
    }
    return socketChannel(this, {}, { memory: this.#memory.buffer, open, write })
  }

  write(bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes)
    setImmediate(() => this.other?.receive(copy))
  }

  receive(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length && !this.destroyed; start += memoryBytes) {
      const part = bytes.subarray(start, start + memoryBytes)
      this.#memory.set(part)
      this.#take(this.#memory.subarray(0, part.length))
    }
  }

  resume(): void {}
  cork(): void {}
  uncork(): void {}

  end(left: () => void): void {
    setImmediate(left)
  }

  destroy(): void {
    this.destroyed = true
  }
}

const memoryBytes = 4096
