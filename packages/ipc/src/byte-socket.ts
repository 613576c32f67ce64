import type { EventEmitter } from 'node:events'

/** What a channel needs of a stream of bytes to write to. Node's sockets have it, and so has a bare handle with little around it. */
export interface ByteSocket extends EventEmitter {
  readonly destroyed: boolean
  /** Bytes that wait to be taken by the system. */
  readonly writableLength: number
  readonly writableHighWaterMark: number
  /** @param left May be called when nobody reads the bytes any more. */
  write(bytes: Uint8Array, left?: () => void): unknown
  cork(): void
  uncork(): void
  /** Calls back when all that was written has left, or cannot any more. */
  end(left: () => void): unknown
  resume(): unknown
  destroy(error?: Error): unknown
}
