import { EventEmitter } from 'node:events'
import { getSystemErrorName } from 'node:util'
import type { ByteSocket } from './byte-socket.ts'

/** Node's handle of a pipe or a local socket, as far as it is used here. */
export interface PipeHandle {
  onread: (this: unknown, memory?: ArrayBuffer) => void
  open(fd: number): number
  readStart(): number
  readStop(): number
  useUserBuffer(buffer: Uint8Array): void
  writeBuffer(request: object, bytes: Uint8Array): number
  writev(request: object, chunks: readonly Uint8Array[], areAllBuffers: boolean): number
  close(closed?: () => void): void
  ref(): void
  unref(): void
}

/** An open handle, and what it takes to read and write on it. */
export interface OpenPipe {
  readonly handle: PipeHandle
  readonly binding: PipeBinding
}

/**
 * Opens a pipe or local socket that this process inherited without the modules `net` and `stream`, which take as long to load
 * as all else that a guest does before its first call. It is what `net` itself stands on, reached by `process.binding()`: not
 * an interface that Node promises, so whoever asks has another way as well.
 * @returns Undefined where this Node does not have it as it is known here, or the descriptor is no such thing.
 */
export function openPipe(fd: number): OpenPipe | undefined {
  const binding = pipeBinding()
  if (binding === undefined) return undefined
  const handle = new binding.Pipe(binding.socketType)
  return handle.open(fd) === 0 ? { handle, binding } : undefined
}

/** An open socket on its bare handle. What it reads lies in one buffer, which the next read overwrites. */
export class PipeSocket extends EventEmitter implements ByteSocket {
  readonly writableHighWaterMark = 64 * 1024
  destroyed = false
  /** Bytes of the writes that the system has not taken whole. */
  writableLength = 0
  readonly #handle: PipeHandle
  readonly #binding: PipeBinding
  #corked: Uint8Array[] | undefined
  #allLeft: (() => void) | undefined

  /** @param take Takes the bytes at the start of the buffer; returns whether to read on. */
  constructor({ handle, binding }: OpenPipe, buffer: Uint8Array, take: (length: number) => boolean) {
    super()
    this.#handle = handle
    this.#binding = binding
    handle.useUserBuffer(buffer)
    handle.onread = () => {
      const length = binding.state[binding.readBytesOrError] as number
      if (this.destroyed || length === 0) return
      if (length < 0) this.#readFailed(length)
      else if (!take(length)) handle.readStop()
    }
  }

  resume(): void {
    if (this.destroyed) return
    const error = this.#handle.readStart()
    if (error !== 0) this.#fail('read', error)
  }

  write(bytes: Uint8Array): void {
    if (this.#corked === undefined) this.#write([bytes])
    else this.#corked.push(bytes)
  }

  cork(): void {
    this.#corked ??= []
  }

  uncork(): void {
    const chunks = this.#corked
    this.#corked = undefined
    if (chunks !== undefined && chunks.length > 0) this.#write(chunks)
  }

  /** Calls back when all that was written has left. */
  end(left: () => void): void {
    if (this.writableLength === 0) process.nextTick(left)
    else this.#allLeft = left
  }

  destroy(error?: Error): void {
    if (this.destroyed) return
    this.destroyed = true
    this.#handle.close(() => {
      if (error !== undefined) this.emit('error', error)
      this.emit('close')
    })
  }

  ref(): void {
    this.#handle.ref()
  }

  unref(): void {
    this.#handle.unref()
  }

  #write(chunks: readonly Uint8Array[]): void {
    if (this.destroyed) return
    const { WriteWrap, state, lastWriteWasAsync } = this.#binding
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    // It holds the bytes until they have left.
    const request = Object.assign(new WriteWrap(), { oncomplete: (status: number) => this.#written(bytes, status), chunks })
    const error =
      chunks.length === 1 ? this.#handle.writeBuffer(request, chunks[0] as Uint8Array) : this.#handle.writev(request, chunks, true)
    if (error !== 0) this.#fail('write', error)
    else if (state[lastWriteWasAsync] !== 0) this.writableLength += bytes
  }

  /** The system took a write later than at once. */
  #written(bytes: number, status: number): void {
    this.writableLength -= bytes
    if (this.destroyed) return
    if (status < 0) return this.#fail('write', status)
    if (this.writableLength > 0) return
    this.emit('drain')
    this.#allLeft?.()
  }

  #readFailed(error: number): void {
    this.#handle.readStop()
    if (error === this.#binding.endOfFile) this.emit('end')
    else this.#fail('read', error)
  }

  #fail(what: 'read' | 'write', error: number): void {
    const code = getSystemErrorName(error)
    this.destroy(Object.assign(new Error(`${what} ${code}`), { code }))
  }
}

/** What of Node's own bindings is used. */
export interface PipeBinding {
  readonly Pipe: new (type: number) => PipeHandle
  readonly socketType: number
  readonly WriteWrap: new () => object
  /** What the last read and the last write said of themselves. */
  readonly state: Int32Array
  readonly readBytesOrError: number
  readonly lastWriteWasAsync: number
  readonly endOfFile: number
}

function pipeBinding(): PipeBinding | undefined {
  try {
    const { binding } = process as unknown as { binding(name: string): Record<string, unknown> }
    const { Pipe, constants } = binding('pipe_wrap') as { Pipe: PipeBinding['Pipe']; constants: { SOCKET: number } }
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding('stream_wrap')
    const endOfFile = binding('uv').UV_EOF
    const numbers = [constants.SOCKET, kReadBytesOrError, kLastWriteWasAsync, endOfFile]
    const methods = ['open', 'readStart', 'readStop', 'useUserBuffer', 'writeBuffer', 'writev', 'close', 'ref', 'unref'] as const
    const isKnown =
      numbers.every(Number.isInteger) &&
      methods.every((name) => typeof Pipe.prototype[name] === 'function') &&
      typeof WriteWrap === 'function' &&
      streamBaseState instanceof Int32Array
    if (!isKnown) return undefined
    return {
      Pipe,
      socketType: constants.SOCKET,
      WriteWrap: WriteWrap as PipeBinding['WriteWrap'],
      state: streamBaseState,
      readBytesOrError: kReadBytesOrError as number,
      lastWriteWasAsync: kLastWriteWasAsync as number,
      endOfFile: endOfFile as number,
    }
  } catch {
    return undefined
  }
}
