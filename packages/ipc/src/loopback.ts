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

/** A socket that takes all at once, and hands it over in another turn. */
class LoopbackSocket extends EventEmitter implements ByteSocket {
  readonly writableHighWaterMark = 0
  readonly writableLength = 0
  destroyed = false
  other: LoopbackSocket | undefined
  readonly #memory = Buffer.allocUnsafeSlow(memoryBytes)
  /** What was not taken yet, no longer than the memory each; behind all of it the end. */
  readonly #arrived: (Uint8Array | 'end')[] = []
  #take: ((chunk: Buffer) => boolean) | undefined
  #isPaused = true

  channel(): Channel {
    const open = (take: (chunk: Buffer) => boolean) => {
      this.#take = take
      setImmediate(() => this.resume())
    }
    const write = (bytes: Buffer, length: number) => {
      this.write(bytes.subarray(0, length))
      return length
    }
    return socketChannel(this, {}, { memory: this.#memory.buffer, open, write })
  }

  write(bytes: Uint8Array, left?: () => void): void {
    const copy = Uint8Array.from(bytes)
    setImmediate(() => {
      for (let start = 0; start < copy.length; start += memoryBytes) this.other?.receive(copy.subarray(start, start + memoryBytes))
      left?.()
    })
  }

  receive(bytes: Uint8Array | 'end'): void {
    this.#arrived.push(bytes)
    this.#read()
  }

  resume(): void {
    this.#isPaused = false
    this.#read()
  }

  cork(): void {}
  uncork(): void {}

  end(left: () => void): void {
    setImmediate(() => {
      this.other?.receive('end')
      left()
    })
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    setImmediate(() => {
      this.emit('close')
      this.other?.receive('end')
    })
  }

  #read(): void {
    while (!this.#isPaused && !this.destroyed) {
      const bytes = this.#arrived.shift()
      if (bytes === undefined) return
      if (bytes === 'end') {
        this.emit('end')
        return
      }
      this.#memory.set(bytes)
      this.#isPaused = this.#take?.(this.#memory.subarray(0, bytes.length)) === false
    }
  }
}

const memoryBytes = 4096
