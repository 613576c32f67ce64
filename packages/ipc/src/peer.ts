import { ConfineError } from '@confine-sandbox/contract'
import { type ErrorPayload, errorPayload } from './error-payload.ts'
import { cancelled, Incoming, incomingKey, Outgoing, type RequestOptions } from './calls.ts'
import { type ChannelLimits, defaultLimits } from './limits.ts'
import { type Message, MessageCodec } from './message.ts'
import type { PeerOptions } from './peer-options.ts'
import { References } from './references.ts'
import { containerClosed } from './held-callback.ts'

/**
 * One side of the call protocol: requests, answers, notifications and cancellation, in both directions over one channel.
 * Whatever arrives is checked; a fault ends the session, never the process.
 */
export class Peer {
  readonly #options: PeerOptions
  readonly #limits: ChannelLimits
  readonly #codec: MessageCodec
  readonly #references: References
  readonly #pending = new Map<number, Outgoing>()
  /** Requests that nobody waits for any more, and their containers; the other side still answers them. */
  readonly #cancelled = new Map<number, number>()
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
    this.#references = new References({
      limits: this.#limits,
      send: (message, cid) => this.#send(message, cid),
      sendEnd: (stream, error) => this.#sendError(error, (told) => ({ type: 'end', stream, error: told })),
      invoke: (cid, reference, params) =>
        this.#start(cid, (id, parent) => ({ type: 'invoke', id, reference, parent, params }), true, options.callbackOptions?.(cid) ?? {}),
      budget: (cid) => options.callbackOptions?.(cid),
      describeError: (thrown) => this.#describe(thrown),
      reviveError: (payload, cid) => options.reviveError(payload, cid),
      cidOfAnswer: (id) => this.#pending.get(id)?.cid ?? this.#cancelled.get(id) ?? 0,
      itemOptions: (id) => this.#pending.get(id)?.itemOptions,
    })
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
   * @throws ERR_CONFINE_VALUE, ERR_CONFINE_LIMIT, ERR_CONFINE_CHANNEL_CLOSED, or what `reviveError` made; the signal's reason
   *   when that aborted, what `overdue` returned when the time was over.
   */
  request(cid: number, method: string, params: unknown[], options: RequestOptions = {}): Promise<unknown> {
    return this.#start(cid, (id, parent) => ({ type: 'request', id, cid, parent, method, params }), false, options)
  }

  /** From now on functions and streams may cross in calls of this container, in both directions. 0 has none. */
  openScope(cid: number): void {
    this.#references.open(cid)
  }

  /** When an item of a stream of either side last crossed for a container, as `performance.now()` says; now while this side waits for one. */
  lastStreamed(cid: number): number {
    return this.#references.lastStreamed(cid)
  }

  /** Revokes the functions and closes the streams that crossed for a container. What waits for them fails with `reason`. */
  closeScope(cid: number, reason: Error = containerClosed('callback or stream')): void {
    this.#references.close(cid, reason)
    for (const [id, pending] of this.#pending) {
      if (pending.isInvoke && pending.cid === cid) this.#drop(id, pending, reason)
    }
    for (const call of this.#incoming.values()) if (call.isInvoke && call.cid === cid) call.fail?.(reason)
  }

  #start(cid: number, message: (id: number, parent: number) => Message, isInvoke: boolean, options: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      if (signal?.aborted) throw signal.reason
      if (this.#closedBy !== undefined) throw this.#closedBy
      const within = this.#options.within?.()
      const caller = within === undefined ? undefined : this.#incoming.get(incomingKey(within))
      if (caller?.isAborted) throw cancelled()
      const id = this.#nextId++
      const bytes = this.#codec.encode(message(id, caller?.id ?? 0), cid, this.#references)
      const pending = new Outgoing(cid, isInvoke, caller, resolve, reject, options.itemOptions)
      caller?.add(id)
      pending.watch(options, (reason) => this.#cancel(id, reason))
      this.#pending.set(id, pending)
      this.#options.channel.send(bytes)
    })
  }

  /** Tells the other side something. @throws ERR_CONFINE_VALUE, or ERR_CONFINE_LIMIT when it takes more than `maxBytes`. Nothing is sent then. */
  notify(cid: number, method: string, params: unknown[], { maxBytes = this.#limits.maxMessageBytes } = {}): void {
    this.#send({ type: 'notify', cid, method, params }, 0, maxBytes)
  }

  /** Closes the channel and rejects what is pending with `reason`. */
  close(reason: Error): void {
    this.#closedBy ??= reason
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    this.#cancelled.clear()
    for (const request of pending) {
      request.stopWatching()
      request.reject(reason)
    }
    this.#abortIncoming(reason)
    this.#references.closeAll(reason)
    this.#options.channel.close()
  }

  /** Closes a container's scope, rejects what waits for it, and aborts and fails the calls that it made. Answers may still come; nobody hears them. */
  abandon(cid: number, reason: Error): void {
    this.closeScope(cid, reason)
    for (const [id, pending] of this.#pending) if (pending.cid === cid) this.#drop(id, pending, reason)
    for (const call of this.#incoming.values()) if (call.cid === cid) call.fail?.(reason)
  }

  #cancel(id: number, reason: unknown): void {
    const pending = this.#pending.get(id)
    if (pending !== undefined) this.#drop(id, pending, reason)
  }

  /** Nobody waits for the answer any more. */
  #drop(id: number, pending: Outgoing, reason: unknown): void {
    this.#forget(id, pending)
    this.#cancelled.set(id, pending.cid)
    pending.reject(reason)
    for (const call of pending.callsWithin ?? []) call.abort(cancelled())
    this.#send({ type: 'cancel', id })
    if (this.#cancelled.size <= this.#limits.maxPendingRequests) return
    this.#fault(
      new ConfineError('ERR_CONFINE_LIMIT', `More than ${this.#limits.maxPendingRequests} cancelled requests were left without an answer`),
    )
  }

  #forget(id: number, pending: Outgoing): void {
    this.#pending.delete(id)
    pending.stopWatching()
    pending.caller?.requestsWithin?.delete(id)
  }

  #receive(bytes: Uint8Array): void {
    // What was under way when this side closed, or after a fault, is nobody's business any more.
    if (this.#closedBy !== undefined) return
    try {
      this.#dispatch(this.#codec.decode(bytes, this.#references))
    } catch (error) {
      this.#fault(error)
    }
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'request':
        this.#answer(message)
        return
      case 'invoke':
        this.#answerInvoke(message)
        return
      case 'result': {
        const pending = this.#settle(message.id)
        if (pending !== undefined) pending.resolve(message.value)
        else for (const held of message.references?.made ?? []) held.release()
        return
      }
      case 'failure':
        this.#settleFailure(message.id, message.error)
        return
      case 'notify':
        this.#options.notify(message.cid, message.method, message.params, message.heldBytes ?? 0)
        return
      case 'cancel':
        this.#cancelIncoming(message.id)
        return
      case 'release':
        this.#references.released(message.reference)
        return
      case 'pull':
        this.#references.pulled(message.stream, message.items, message.bytes)
        return
      case 'item':
        this.#references.item(message.stream, message.value, message.size as number, message.references?.made)
        return
      case 'end':
        this.#references.ended(message.stream, message.error)
        return
      case 'stop':
        this.#references.stopped(message.stream)
    }
  }

  #settleFailure(id: number, error: ErrorPayload): void {
    const pending = this.#settle(id)
    pending?.reject(this.#options.reviveError(error, pending.isInvoke ? pending.cid : undefined))
  }

  #cancelIncoming(id: number): void {
    const call = this.#incoming.get(incomingKey(id))
    if (call === undefined) return
    call.abort(cancelled())
    for (const request of call.requestsWithin ?? []) this.#cancel(request, cancelled())
  }

  /** Takes the answer to a request. @returns Who waits for it; nobody when it was cancelled. */
  #settle(id: number): Outgoing | undefined {
    if (this.#cancelled.delete(id)) return undefined
    const pending = this.#pending.get(id)
    if (pending === undefined) throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received an answer to request ${id}, which is not pending`)
    this.#forget(id, pending)
    return pending
  }

  #answer({ id, cid, parent = 0, method, params, heldBytes = 0 }: Message & { type: 'request' }): void {
    this.#serve(id, heldBytes, parent, new Incoming(id, cid, method, params), (call) => this.#options.request(call))
  }

  #answerInvoke({ id, reference, parent = 0, params, heldBytes = 0 }: Message & { type: 'invoke' }): void {
    const own = this.#references.ownCallback(reference)
    this.#serve(id, heldBytes, parent, new Incoming(id, own?.cid ?? 0, 'callback', params, true), (call) => {
      if (own === undefined) throw new ConfineError('ERR_CONFINE_REVOKED', 'The callback was released, or its container has closed')
      return this.#options.invoke === undefined
        ? Reflect.apply(own.callback, undefined, call.params)
        : this.#options.invoke(own.callback, call)
    })
  }

  #serve(id: number, heldBytes: number, parent: number, call: Incoming, act: (call: Incoming) => unknown): void {
    const key = incomingKey(id)
    if (this.#incoming.has(key)) throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received request ${id} twice`)
    if (this.#incoming.size >= this.#limits.maxPendingRequests) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received more than ${this.#limits.maxPendingRequests} requests at once`)
    }
    if (this.#incoming.size > 0 && this.#incomingBytes + heldBytes > this.#limits.maxPendingBytes) {
      this.#fail(id, new ConfineError('ERR_CONFINE_LIMIT', `The calls under way hold more than ${this.#limits.maxPendingBytes} bytes`))
      return
    }
    if (parent !== 0 && this.#cancelled.has(parent)) {
      this.#fail(id, cancelled())
      return
    }
    this.#incoming.set(key, call)
    this.#incomingBytes += heldBytes
    const within = parent === 0 ? undefined : this.#pending.get(parent)
    // Its word, so checked: a container is called back from within its own calls only.
    if (within?.cid === call.cid) call.join(within)
    const isOver = () => {
      if (!this.#incoming.delete(key)) return true
      this.#incomingBytes -= heldBytes
      call.leave()
      return false
    }
    const fail = (thrown: unknown) => {
      if (!isOver()) this.#fail(id, thrown)
    }
    const succeed = (value: unknown) => {
      if (isOver()) return
      try {
        this.#send({ type: 'result', id, value }, call.cid)
      } catch (error) {
        this.#fail(id, error)
      }
    }
    call.fail = (reason) => {
      call.abort(reason)
      fail(reason)
    }
    let answer: Promise<unknown>
    try {
      // Never trusts a thenable: a promise of this realm adopts it, and reports what it throws.
      answer = Promise.resolve(act(call))
    } catch (error) {
      fail(error)
      return
    }
    answer.then(succeed, fail)
  }

  #fail(id: number, thrown: unknown): void {
    this.#sendError(this.#describe(thrown), (error) => ({ type: 'failure', id, error }))
  }

  #describe(thrown: unknown): ErrorPayload {
    return (this.#options.describeError ?? errorPayload)(thrown)
  }

  #sendError(payload: ErrorPayload, message: (error: ErrorPayload) => Message): void {
    try {
      this.#send(message(payload))
      return
    } catch {}
    try {
      // Its details cannot cross: say the rest.
      this.#send(message({ ...payload, details: undefined, cause: undefined }))
    } catch {
      this.#send(message({ name: 'Error', message: 'The call failed with an error that cannot cross' }))
    }
  }

  /** Returns how many bytes left. */
  #send(message: Message, cid = 0, maxBytes = Number.POSITIVE_INFINITY): number {
    if (this.#closedBy !== undefined) return 0
    const bytes = this.#codec.encode(message, cid, this.#references)
    if (bytes.length > maxBytes) throw new ConfineError('ERR_CONFINE_LIMIT', `The message takes more than ${maxBytes} bytes`)
    this.#options.channel.send(bytes)
    return bytes.length
  }

  #fault(error: unknown): void {
    this.#isChannelClosed = true
    const fault = ConfineError.is(error)
      ? error
      : new ConfineError('ERR_CONFINE_PROTOCOL', `Cannot take what the other side sent: ${errorPayload(error).message}`, { cause: error })
    this.#closedBy ??= fault
    this.#abortIncoming(fault)
    this.#references.closeAll(fault)
    this.#options.channel.close()
    this.#options.closed(fault)
  }

  #channelClosed(error?: Error): void {
    if (this.#isChannelClosed) return
    this.#isChannelClosed = true
    const reason = error ?? new ConfineError('ERR_CONFINE_CHANNEL_CLOSED', 'The other side closed the channel')
    this.#closedBy ??= reason
    this.#abortIncoming(reason)
    this.#references.closeAll(reason)
    this.#options.closed(error)
  }

  #abortIncoming(reason: Error): void {
    const calls = [...this.#incoming.values()]
    this.#incoming.clear()
    this.#incomingBytes = 0
    for (const call of calls) call.abort(reason)
  }
}
