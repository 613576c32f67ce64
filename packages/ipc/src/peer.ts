import { type Channel, ConfineError } from '@confine-sandbox/contract'
import { type ErrorPayload, errorPayload } from './error-payload.ts'
import { type ChannelLimits, defaultLimits } from './limits.ts'
import { type Message, MessageCodec } from './message.ts'

/** A call that the other side made. */
export interface IncomingCall {
  /** Which container is meant, or speaks; 0 is the guest process itself. A claim of the other side: check it. */
  readonly cid: number
  readonly method: string
  readonly params: unknown[]
  /** Aborts when the other side cancels the call or the channel closes. */
  readonly signal: AbortSignal
}

/** What the owner of a peer decides. */
export interface PeerOptions {
  readonly channel: Channel
  /** Answers a request. What it throws is told to the other side by `describeError`. */
  request(call: IncomingCall): unknown
  /** Takes a notification. What it throws ends the session as a protocol fault. */
  notify(cid: number, method: string, params: unknown[]): void
  /** Called once, when the channel has closed. Pending requests wait for `close(reason)`. */
  closed(error?: Error): void
  /** How something thrown is told to the other side. @default name, message and code */
  describeError?(thrown: unknown): ErrorPayload
  /** Makes the error that a failed request rejects with. */
  reviveError(payload: ErrorPayload): Error
  readonly limits?: ChannelLimits
  /** Whether errors among the values take their stacks along. @default false */
  readonly errorStacks?: boolean
}

/**
 * One side of the call protocol: requests, answers, notifications and cancellation, in both directions over one channel.
 * Whatever arrives is checked; a fault ends the session, never the process.
 */
export class Peer {
  readonly #options: PeerOptions
  readonly #limits: ChannelLimits
  readonly #codec: MessageCodec
  readonly #pending = new Map<number, Pending>()
  /** Requests that nobody waits for any more; the other side still answers them. */
  readonly #cancelled = new Set<number>()
  /** By text, whose hash the other side cannot foresee: numbers that it chose could all collide. */
  readonly #incoming = new Map<string, Incoming>()
  #incomingBytes = 0
  #nextId = 1
  #closedBy: Error | undefined
  #isChannelClosed = false

  constructor(options: PeerOptions) {
    this.#options = options
    this.#limits = options.limits ?? defaultLimits
    this.#codec = new MessageCodec(this.#limits, { errorStacks: options.errorStacks ?? false })
    options.channel.open({
      message: (bytes) => this.#receive(bytes),
      closed: (error) => this.#channelClosed(error),
    })
  }

  /** Requests that wait for an answer. */
  get pendingRequests(): number {
    return this.#pending.size
  }

  /**
   * Calls a method of the other side.
   * @param signal Aborting it rejects the call with the signal's reason at once and tells the other side.
   * @throws ERR_CONFINE_VALUE, ERR_CONFINE_LIMIT, ERR_CONFINE_CHANNEL_CLOSED, or what `reviveError` made.
   */
  request(cid: number, method: string, params: unknown[], signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw signal.reason
      if (this.#closedBy !== undefined) throw this.#closedBy
      const id = this.#nextId++
      const message = this.#codec.encode({ type: 'request', id, cid, method, params })
      const pending: Pending = { resolve, reject, stopListening: undefined }
      if (signal !== undefined) {
        const cancel = () => this.#cancel(id, signal.reason)
        signal.addEventListener('abort', cancel, { once: true })
        pending.stopListening = () => signal.removeEventListener('abort', cancel)
      }
      this.#pending.set(id, pending)
      this.#options.channel.send(message)
    })
  }

  /** Tells the other side something. @throws ERR_CONFINE_VALUE or ERR_CONFINE_LIMIT */
  notify(cid: number, method: string, params: unknown[]): void {
    this.#send({ type: 'notify', cid, method, params })
  }

  /** Closes the channel and rejects what is pending with `reason`. */
  close(reason: Error): void {
    this.#closedBy ??= reason
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    this.#cancelled.clear()
    for (const { reject, stopListening } of pending) {
      stopListening?.()
      reject(reason)
    }
    this.#abortIncoming(reason)
    this.#options.channel.close()
  }

  #cancel(id: number, reason: unknown): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    this.#cancelled.add(id)
    pending.reject(reason)
    this.#send({ type: 'cancel', id })
    if (this.#cancelled.size <= this.#limits.maxPendingRequests) return
    this.#fault(
      new ConfineError('ERR_CONFINE_LIMIT', `More than ${this.#limits.maxPendingRequests} cancelled requests were left without an answer`),
    )
  }

  #receive(bytes: Uint8Array): void {
    // What was under way when this side closed, or after a fault, is nobody's business any more.
    if (this.#closedBy !== undefined) return
    try {
      this.#dispatch(this.#codec.decode(bytes))
    } catch (error) {
      this.#fault(error)
    }
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'request':
        this.#answer(message)
        return
      case 'result':
        this.#settle(message.id)?.resolve(message.value)
        return
      case 'failure':
        this.#settle(message.id)?.reject(this.#options.reviveError(message.error))
        return
      case 'notify':
        this.#options.notify(message.cid, message.method, message.params)
        return
      case 'cancel':
        this.#incoming.get(incomingKey(message.id))?.abort(new ConfineError('ERR_CONFINE_ABORTED', 'The caller cancelled the call'))
    }
  }

  /** Takes the answer to a request. @returns Who waits for it; nobody when it was cancelled. */
  #settle(id: number): Pending | undefined {
    if (this.#cancelled.delete(id)) return undefined
    const pending = this.#pending.get(id)
    if (pending === undefined) throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received an answer to request ${id}, which is not pending`)
    this.#pending.delete(id)
    pending.stopListening?.()
    return pending
  }

  #answer({ id, cid, method, params, heldBytes = 0 }: Message & { type: 'request' }): void {
    const key = incomingKey(id)
    if (this.#incoming.has(key)) throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received request ${id} twice`)
    if (this.#incoming.size >= this.#limits.maxPendingRequests) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received more than ${this.#limits.maxPendingRequests} requests at once`)
    }
    if (this.#incoming.size > 0 && this.#incomingBytes + heldBytes > this.#limits.maxPendingBytes) {
      this.#fail(id, new ConfineError('ERR_CONFINE_LIMIT', `The calls under way hold more than ${this.#limits.maxPendingBytes} bytes`))
      return
    }
    const call = new Incoming(cid, method, params)
    this.#incoming.set(key, call)
    this.#incomingBytes += heldBytes
    const isOver = () => {
      if (!this.#incoming.delete(key)) return true
      this.#incomingBytes -= heldBytes
      return false
    }
    const fail = (thrown: unknown) => {
      if (!isOver()) this.#fail(id, thrown)
    }
    const succeed = (value: unknown) => {
      if (isOver()) return
      try {
        this.#send({ type: 'result', id, value })
      } catch (error) {
        this.#fail(id, error)
      }
    }
    let answer: Promise<unknown>
    try {
      // Never trusts a thenable: a promise of this realm adopts it, and reports what it throws.
      answer = Promise.resolve(this.#options.request(call))
    } catch (error) {
      fail(error)
      return
    }
    answer.then(succeed, fail)
  }

  #fail(id: number, thrown: unknown): void {
    const describe = this.#options.describeError ?? errorPayload
    const payload = describe(thrown)
    try {
      this.#send({ type: 'failure', id, error: payload })
      return
    } catch {}
    try {
      // Its details cannot cross: say the rest.
      this.#send({ type: 'failure', id, error: { ...payload, details: undefined, cause: undefined } })
    } catch {
      this.#send({ type: 'failure', id, error: { name: 'Error', message: 'The call failed with an error that cannot cross' } })
    }
  }

  #send(message: Message): void {
    if (this.#closedBy !== undefined) return
    this.#options.channel.send(this.#codec.encode(message))
  }

  #fault(error: unknown): void {
    this.#isChannelClosed = true
    const fault = ConfineError.is(error)
      ? error
      : new ConfineError('ERR_CONFINE_PROTOCOL', `Cannot take what the other side sent: ${errorPayload(error).message}`, { cause: error })
    this.#closedBy ??= fault
    this.#abortIncoming(fault)
    this.#options.channel.close()
    this.#options.closed(fault)
  }

  #channelClosed(error?: Error): void {
    if (this.#isChannelClosed) return
    this.#isChannelClosed = true
    const reason = error ?? new ConfineError('ERR_CONFINE_CHANNEL_CLOSED', 'The other side closed the channel')
    this.#closedBy ??= reason
    this.#abortIncoming(reason)
    this.#options.closed(error)
  }

  #abortIncoming(reason: Error): void {
    const calls = [...this.#incoming.values()]
    this.#incoming.clear()
    this.#incomingBytes = 0
    for (const call of calls) call.abort(reason)
  }
}

function incomingKey(id: number): string {
  return `request ${id}`
}

interface Pending {
  resolve(value: unknown): void
  reject(reason: unknown): void
  stopListening: (() => void) | undefined
}

class Incoming implements IncomingCall {
  readonly cid: number
  readonly method: string
  readonly params: unknown[]
  #controller: AbortController | undefined
  #abortedBy: Error | undefined

  constructor(cid: number, method: string, params: unknown[]) {
    this.cid = cid
    this.method = method
    this.params = params
  }

  /** Made when somebody asks for it: most calls are never cancelled. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortedBy !== undefined) this.#controller.abort(this.#abortedBy)
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#abortedBy ??= reason
    this.#controller?.abort(reason)
  }
}
