import { ConfineError, type RemoteStream } from '@confine-sandbox/contract'
import type { ItemOptions } from './calls.ts'
import type { ChannelLimits } from './limits.ts'
import type { Releasable } from './reference.ts'
import { unheard } from './unheard.ts'

/** What a stream of the other side needs of its peer. */
export interface IncomingStreamOwner {
  readonly limits: ChannelLimits
  pull(items: number, bytes: number): void
  /** Nobody takes any more. Called at most once, and not after the stream's end. */
  stop(): void
  /** How long one item may be waited for, and what to say then. @default for ever */
  readonly budget?: ItemOptions | undefined
}

type Result = IteratorResult<unknown, undefined>

interface Waiting {
  resolve(result: Result): void
  reject(error: unknown): void
  readonly timer: NodeJS.Timeout | undefined
}

/** A stream of the other side, as this side's table holds it: what has arrived, and who waits for it. */
export class IncomingStream {
  readonly #owner: IncomingStreamOwner
  readonly #queue: { readonly value: unknown; readonly size: number; readonly made: readonly Releasable[] }[] = []
  readonly #waiting: Waiting[] = []
  /** What the other side may still send. */
  #items = 0
  #bytes = 0
  /** What was taken here and not asked for again. */
  #takenItems: number
  #takenBytes: number
  #end: { readonly error?: Error | undefined } | undefined
  #lastTaken = 0

  constructor(owner: IncomingStreamOwner) {
    this.#owner = owner
    this.#takenItems = owner.limits.streamWindowItems
    this.#takenBytes = owner.limits.streamWindowBytes
  }

  /** How long an item of it may be waited for. */
  get budget(): ItemOptions | undefined {
    return this.#owner.budget
  }

  /** When somebody last took an item; now while somebody waits for one. */
  get lastTaken(): number {
    return this.#waiting.length > 0 ? performance.now() : this.#lastTaken
  }

  /**
   * The other side sent an item.
   * @param made What stands in it for functions and streams of the other side.
   * @throws ERR_CONFINE_PROTOCOL when it may not.
   */
  item(value: unknown, size: number, made: readonly Releasable[] = []): void {
    if (this.#items < 1 || this.#bytes < 1) throw new ConfineError('ERR_CONFINE_PROTOCOL', 'Received an item of a stream beyond its window')
    this.#items--
    this.#bytes -= size
    const taker = this.#waiting.shift()
    if (taker === undefined) {
      this.#queue.push({ value, size, made })
      return
    }
    clearTimeout(taker.timer)
    this.#taken(size)
    taker.resolve({ done: false, value })
    // Asked for when somebody waits, and not before: who takes one item and then none lets nothing be produced for nobody.
    if (this.#waiting.length > 0) this.#ask()
  }

  /** The stream is through, failed, or was closed with its container. What has arrived can still be taken, unless it `isLost`. */
  end(error?: Error, isLost = false): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    if (isLost) this.#dropQueue()
    for (const { resolve, reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer)
      if (this.#end.error === undefined) resolve(over())
      else reject(this.#takeError())
    }
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      const first = this.#queue.shift()
      if (first !== undefined) {
        this.#taken(first.size)
        if (this.#end === undefined) this.#ask()
        resolve({ done: false, value: first.value })
      } else if (this.#end?.error !== undefined) reject(this.#takeError())
      else if (this.#end !== undefined) resolve(over())
      else {
        this.#waiting.push({ resolve, reject, timer: this.#watch() })
        this.#ask()
      }
    })
  }

  /** Ends it from this side. */
  stop(): void {
    if (this.#end === undefined) this.#owner.stop()
    this.#end = {}
    this.#dropQueue()
    for (const { resolve, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer)
      resolve(over())
    }
  }

  #watch(): NodeJS.Timeout | undefined {
    const { timeoutMs = Number.POSITIVE_INFINITY, overdue } = this.#owner.budget ?? {}
    if (timeoutMs === Number.POSITIVE_INFINITY) return undefined
    return setTimeout(() => {
      const error = overdue?.() ?? new ConfineError('ERR_CONFINE_TIMEOUT', `A stream gave nothing for ${timeoutMs} ms`)
      this.#owner.stop()
      this.end(error, true)
    }, timeoutMs)
  }

  /** Nobody takes what has arrived. */
  #dropQueue(): void {
    for (const { made } of this.#queue.splice(0)) for (const held of made) held.release()
  }

  #taken(size: number): void {
    this.#lastTaken = performance.now()
    this.#takenItems++
    this.#takenBytes += size
  }

  /** Asks for as much as was taken, but not for every single item. */
  #ask(): void {
    const { streamWindowItems, streamWindowBytes } = this.#owner.limits
    if (this.#takenItems * 2 < streamWindowItems && this.#takenBytes * 2 < streamWindowBytes) return
    const items = this.#takenItems
    const bytes = this.#takenBytes
    this.#takenItems = 0
    this.#takenBytes = 0
    this.#items += items
    this.#bytes += bytes
    this.#owner.pull(items, bytes)
  }

  /** An iteration fails once; from then on it is over. */
  #takeError(): Error | undefined {
    const error = this.#end?.error
    this.#end = {}
    return error
  }
}

/** What a program iterates. Only it refers to the table's entry, so that one that nobody holds can be found to be garbage. */
export class ReceivedStream implements RemoteStream {
  readonly #stream: IncomingStream

  constructor(stream: IncomingStream) {
    this.#stream = stream
  }

  next(): Promise<Result> {
    return unheard(this.#stream.next())
  }

  async return(): Promise<Result> {
    this.#stream.stop()
    return over()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.stop()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function over(): Result {
  return { done: true, value: undefined }
}
