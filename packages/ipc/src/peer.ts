import { ConfineError } from '@confine-sandbox/contract'
import { type ErrorPayload, errorPayload } from './error-payload.ts'
import { cancelled, Incoming, Outgoing, type RequestOptions } from './calls.ts'
import { Deadlines } from './deadlines.ts'
import { type FrameChannel, isFrameChannel, shortMessageBytes } from './frame-channel.ts'
import { IdTable } from './id-table.ts'
import { IncomingCalls } from './incoming-calls.ts'
import { type ChannelLimits, defaultLimits } from './limits.ts'
import { type EncodedMessage, type Message, MessageCodec } from './message.ts'
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
  /** The channel, when it lets its memory be used. */
  readonly #frames: FrameChannel | undefined
  readonly #pending = new IdTable<Outgoing>()
  readonly #deadlines = new Deadlines()
  /** Requests that nobody waits for any more, and their containers; the other side still answers them. */
  readonly #cancelled = new Map<number, number>()
  readonly #incoming: IncomingCalls
  /** Of the next message. */
  #attachments: Uint8Array<ArrayBuffer>[] = []
  #nextId = 1
  #closedBy: Error | undefined
  #isChannelClosed = false

  constructor(options: PeerOptions) {
    const { channel } = options
    this.#options = options
    this.#limits = options.limits ?? defaultLimits
    this.#codec = new MessageCodec(this.#limits, { errorStacks: options.errorStacks ?? false })
    this.#incoming = new IncomingCalls({
      limits: this.#limits,
      options,
      succeed: ({ id, cid }, value) => this.#send({ type: 'result', id, value }, cid),
      fail: ({ id }, thrown) => this.#sendError(this.#describe(thrown), (error) => ({ type: 'failure', id, error })),
    })
    this.#references = new References({
      limits: this.#limits,
      send: (message, cid) => this.#send(message, cid),
      sendEnd: (stream, error) => this.#sendError(error, (told) => ({ type: 'end', stream, error: told })),
      invoke: (cid, reference, params) => this.#start(cid, undefined, reference, params, options.callbackOptions?.(cid) ?? noOptions),
      budget: (cid) => options.callbackOptions?.(cid),
      describeError: (thrown) => this.#describe(thrown),
      reviveError: (payload, cid) => options.reviveError(payload, cid),
      cidOfAnswer: (id) => this.#pending.get(id)?.cid ?? this.#cancelled.get(id) ?? 0,
      itemOptions: (id) => this.#pending.get(id)?.options.itemOptions,
    })
    this.#frames = isFrameChannel(channel) ? channel : undefined
    const closed = (error?: Error) => this.#channelClosed(error)
    if (this.#frames === undefined) {
      channel.open({
        message: (bytes) => this.#receive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length),
        closed,
      })
      return
    }
    this.#frames.openFrames({
      frame: (memory, start, end) => this.#receive(memory, start, end),
      attachment: (bytes) => void this.#attachments.push(bytes),
      closed,
    })
  }

  /** Requests that wait for an answer. */
  get pendingRequests(): number {
    return this.#pending.size
  }

  /**
   * Calls a method of the other side.
   * @throws ERR_CONFINE_VALUE, ERR_CONFINE_LIMIT, ERR_CONFINE_CHANNEL_CLOSED, or what `toError` or `reviveError` made; the signal's
   *   reason when that aborted, what `overdue` returned when the time was over.
   */
  request(cid: number, method: string, params: unknown[], options: RequestOptions = noOptions): Promise<unknown> {
    return this.#start(cid, method, 0, params, options)
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
    for (const pending of this.#pending.all()) if (pending.isInvoke && pending.cid === cid) this.#drop(pending, reason)
    this.#incoming.failEach(reason, (call) => call.isInvoke && call.cid === cid)
  }

  /** @param method Undefined to call the function of the other side that `reference` numbers. */
  #start(cid: number, method: string | undefined, reference: number, params: unknown[], options: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs } = options
      if (signal?.aborted) throw options.aborted === undefined ? signal.reason : options.aborted(signal)
      if (this.#closedBy !== undefined) throw this.#closedBy
      const within = this.#options.within?.()
      const caller = within === undefined ? undefined : this.#incoming.get(within)
      if (caller?.isAborted) throw cancelled()
      const id = this.#nextId++
      const parent = caller?.id ?? 0
      const isInvoke = method === undefined
      const out = this.#encode(
        isInvoke ? { type: 'invoke', id, reference, parent, params } : { type: 'request', id, cid, parent, method, params },
        cid,
      )
      const pending = new Outgoing({ id, cid, isInvoke, caller, options, resolve, reject, cancel: this.#drop })
      caller?.add(id)
      if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) this.#deadlines.add(pending, timeoutMs)
      if (signal !== undefined) pending.listen(signal)
      this.#pending.add(pending)
      this.#transmit(out)
      options.sent?.()
    })
  }

  /** Tells the other side something. @throws ERR_CONFINE_VALUE, or ERR_CONFINE_LIMIT when it takes more than `maxBytes`. Nothing is sent then. */
  notify(cid: number, method: string, params: unknown[], { maxBytes = this.#limits.maxMessageBytes } = {}): void {
    this.#send({ type: 'notify', cid, method, params }, 0, maxBytes)
  }

  /** Closes the channel and rejects what is pending with `reason`. */
  close(reason: Error): void {
    this.#closedBy ??= reason
    const pending = this.#pending.all()
    this.#pending.clear()
    this.#cancelled.clear()
    for (const request of pending) {
      this.#deadlines.remove(request)
      request.leave()
      request.reject(reason)
    }
    this.#deadlines.clear()
    this.#incoming.abortAll(reason)
    this.#references.closeAll(reason)
    this.#options.channel.close()
  }

  /** Closes a container's scope, rejects what waits for it, and aborts and fails the calls that it made. Answers may still come; nobody hears them. */
  abandon(cid: number, reason: Error): void {
    this.closeScope(cid, reason)
    for (const pending of this.#pending.all()) if (pending.cid === cid) this.#drop(pending, reason)
    this.#incoming.failEach(reason, (call) => call.cid === cid)
  }

  /** Nobody waits for the answer any more. */
  readonly #drop = (pending: Outgoing, reason: unknown): void => {
    if (!this.#forget(pending)) return
    const { id, cid } = pending
    this.#cancelled.set(id, cid)
    pending.reject(reason)
    for (const call of pending.callsWithin ?? []) call.abort(cancelled())
    this.#send({ type: 'cancel', id })
    if (this.#cancelled.size <= this.#limits.maxPendingRequests) return
    this.#fault(
      new ConfineError('ERR_CONFINE_LIMIT', `More than ${this.#limits.maxPendingRequests} cancelled requests were left without an answer`),
    )
  }

  /** Returns whether it was waited for. */
  #forget(pending: Outgoing): boolean {
    if (!this.#pending.delete(pending.id)) return false
    this.#deadlines.remove(pending)
    pending.leave()
    return true
  }

  #receive(memory: Buffer, start: number, end: number): void {
    const attachments = this.#attachments
    if (attachments.length > 0) this.#attachments = []
    // What was under way when this side closed, or after a fault, is nobody's business any more.
    if (this.#closedBy !== undefined) return
    try {
      this.#dispatch(this.#codec.read(memory, start, end, this.#references, attachments))
    } catch (error) {
      this.#fault(error)
    }
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'request': {
        const { id, cid, parent = 0, method, params, heldBytes = 0 } = message
        this.#serve(new Incoming({ id, cid, method, params, heldBytes }), parent)
        return
      }
      case 'invoke': {
        const { id, reference, parent = 0, params, heldBytes = 0 } = message
        const { cid = 0, callback = null } = this.#references.ownCallback(reference) ?? {}
        this.#serve(new Incoming({ id, cid, method: 'callback', params, heldBytes, callback }), parent)
        return
      }
      case 'result': {
        const pending = this.#settle(message.id)
        if (pending !== undefined) pending.resolve(message.value)
        else for (const held of message.references?.made ?? []) held.release()
        return
      }
      case 'failure':
        this.#settleFailure(message.id, message.error)
        return
      default:
        this.#options.outside?.()
        this.#dispatchOther(message)
    }
  }

  #dispatchOther(message: Message): void {
    switch (message.type) {
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
    pending?.fail(error, (payload) => this.#options.reviveError(payload, pending.isInvoke ? pending.cid : undefined))
  }

  #cancelIncoming(id: number): void {
    const call = this.#incoming.get(id)
    if (call === undefined) return
    call.abort(cancelled())
    for (const request of call.requestsWithin ?? []) {
      const pending = this.#pending.get(request)
      if (pending !== undefined) this.#drop(pending, cancelled())
    }
  }

  /** Takes the answer to a request. @returns Who waits for it; nobody when it was cancelled. */
  #settle(id: number): Outgoing | undefined {
    if (this.#cancelled.size > 0 && this.#cancelled.delete(id)) return undefined
    const pending = this.#pending.get(id)
    if (pending === undefined) throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received an answer to request ${id}, which is not pending`)
    this.#forget(pending)
    return pending
  }

  #serve(call: Incoming, parent: number): void {
    if (!this.#incoming.admit(call)) return
    if (parent !== 0) {
      if (this.#cancelled.has(parent)) return this.#incoming.fail(call, cancelled())
      const within = this.#pending.get(parent)
      // Its word, so checked: a container is called back from within its own calls only.
      if (within?.cid === call.cid) call.join(within)
    }
    this.#incoming.answer(call)
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
    const out = this.#encode(message, cid)
    const { size } = out
    if (size > maxBytes) throw new ConfineError('ERR_CONFINE_LIMIT', `The message takes more than ${maxBytes} bytes`)
    this.#transmit(out)
    return size
  }

  #encode(message: Message, cid: number): EncodedMessage {
    return this.#codec.write(message, cid, this.#references, this.#frames !== undefined)
  }

  #transmit({ writer, attachments }: EncodedMessage): void {
    const frames = this.#frames
    for (const bytes of attachments) frames?.sendAttachment(bytes, () => this.#codec.spare.giveBack(bytes))
    if (frames !== undefined && writer.length < shortMessageBytes) frames.sendShort(writer.memory, writer.length)
    else this.#options.channel.send(writer.take())
  }

  #fault(error: unknown): void {
    this.#isChannelClosed = true
    const fault = ConfineError.is(error)
      ? error
      : new ConfineError('ERR_CONFINE_PROTOCOL', `Cannot take what the other side sent: ${errorPayload(error).message}`, { cause: error })
    this.#closedBy ??= fault
    this.#incoming.abortAll(fault)
    this.#references.closeAll(fault)
    this.#options.channel.close()
    this.#options.closed(fault)
  }

  #channelClosed(error?: Error): void {
    if (this.#isChannelClosed) return
    this.#isChannelClosed = true
    // A stream's own error, such as ECONNRESET of a process that was killed, is not what callers are told.
    const reason = ConfineError.is(error)
      ? error
      : new ConfineError('ERR_CONFINE_CHANNEL_CLOSED', 'The other side closed the channel', error && { cause: error })
    this.#closedBy ??= reason
    this.#incoming.abortAll(reason)
    this.#references.closeAll(reason)
    this.#options.closed(error)
  }
}

const noOptions: RequestOptions = Object.freeze({})
