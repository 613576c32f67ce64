import { ConfineError } from '@confine-sandbox/contract'
import { awaitedFailure, noticedHere } from './awaited-failure.ts'
import { Timed } from './deadlines.ts'
import type { ErrorPayload } from './error-payload.ts'

/** A call that the other side made. */
export interface IncomingCall {
  /** Which container is meant, or speaks; 0 is the guest process itself. A claim of the other side: check it. */
  readonly cid: number
  readonly method: string
  readonly params: unknown[]
  /** The number of this request: what is asked while it is answered may name it, see `PeerOptions.within`. */
  readonly id: number
  /** Aborts when the other side cancels the call, when the call within which it was made is cancelled, or when the channel closes. */
  readonly signal: AbortSignal
}

type IncomingFields = Pick<Incoming, 'id' | 'cid' | 'method' | 'params' | 'heldBytes'> & { readonly callback?: Function | null }

/** The error of a call that nobody waits for any more. */
export function cancelled(): ConfineError {
  return new ConfineError('ERR_CONFINE_ABORTED', 'The caller cancelled the call')
}

/** A call of the other side until it is answered. */
export class Incoming implements IncomingCall {
  readonly id: number
  readonly cid: number
  readonly method: string
  readonly params: unknown[]
  /** The function of this side that is called; undefined for a method, null for one that is gone. */
  readonly callback: Function | null | undefined
  /** Memory that its parameters hold, as it is estimated. */
  readonly heldBytes: number
  /** Requests of this side that were made within it; they are cancelled with it. Made when there is one. */
  requestsWithin: Set<number> | undefined = undefined
  #within: Outgoing | undefined
  #controller: AbortController | undefined
  #abortedBy: Error | undefined

  constructor({ id, cid, method, params, heldBytes, callback }: IncomingFields) {
    this.id = id
    this.cid = cid
    this.method = method
    this.params = params
    this.heldBytes = heldBytes
    this.callback = callback
  }

  /** Whether a function of this side was called, not a method. */
  get isInvoke(): boolean {
    return this.callback !== undefined
  }

  /** Made when somebody asks for it: most calls are never cancelled. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortedBy !== undefined) this.#controller.abort(this.#abortedBy)
    }
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return this.#abortedBy !== undefined
  }

  /** A request of this side is made within it. */
  add(request: number): void {
    this.requestsWithin ??= new Set()
    this.requestsWithin.add(request)
  }

  /** It was made within a request of this side, and is aborted with that. */
  join(request: Outgoing): void {
    this.#within = request
    request.callsWithin ??= new Set()
    request.callsWithin.add(this)
  }

  /** It is over. */
  leave(): void {
    this.#within?.callsWithin?.delete(this)
  }

  abort(reason: Error): void {
    this.#abortedBy ??= reason
    this.#controller?.abort(reason)
  }
}

/** What a request may ask for besides its answer. */
export interface RequestOptions {
  /** Aborting it rejects the request with the signal's reason at once and tells the other side. */
  readonly signal?: AbortSignal | undefined
  /** How long the answer may take, milliseconds; at most 2^31 - 1, or Infinity. @default Infinity */
  readonly timeoutMs?: number | undefined
  /** Called when it took longer; the request is cancelled and rejects with what this returns. @default an ERR_CONFINE_TIMEOUT */
  overdue?(): Error
  /** How long each item of the streams in the answer may be waited for. @default what the peer says for the container */
  readonly itemOptions?: ItemOptions | undefined
  /** Makes what the request rejects with when the signal aborted. @default the signal's reason */
  aborted?(signal: AbortSignal): unknown
  /** Makes the error of an answer that says failure. @default that of the peer */
  toError?(payload: ErrorPayload): Error
  /** Called when the request was sent. */
  sent?(): void
  /** Called once after that, when nobody waits any more, however that came. */
  settled?(): void
}

/** How long one item of a stream may be waited for, and what to say then. */
export type ItemOptions = Pick<RequestOptions, 'timeoutMs' | 'overdue'>

type OutgoingFields = Pick<Outgoing, 'id' | 'cid' | 'isInvoke' | 'caller' | 'options' | 'resolve' | 'reject' | 'cancel'>

/** A request of this side until it is answered. */
export class Outgoing extends Timed {
  readonly id: number
  readonly cid: number
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  /** Whether a function of the other side was called, not a method. */
  readonly isInvoke: boolean
  /** The incoming call within which it was asked. */
  readonly caller: Incoming | undefined
  readonly options: RequestOptions
  /** Calls of the other side that were made within it. Made when there is one. */
  callsWithin: Set<Incoming> | undefined = undefined
  /** Called when the options say that nobody waits any more. */
  readonly cancel: (request: Outgoing, reason: unknown) => void
  #aborted: (() => void) | undefined

  constructor({ id, cid, isInvoke, caller, options, resolve, reject, cancel }: OutgoingFields) {
    super()
    this.id = id
    this.cid = cid
    this.isInvoke = isInvoke
    this.caller = caller
    this.options = options
    this.resolve = resolve
    this.reject = reject
    this.cancel = cancel
  }

  /** Cancels it when the signal aborts. */
  listen(signal: AbortSignal): void {
    this.#aborted = () => this.cancel(this, this.options.aborted === undefined ? signal.reason : this.options.aborted(signal))
    signal.addEventListener('abort', this.#aborted, { once: true })
  }

  override overdue(): void {
    const { options } = this
    const late = () => new ConfineError('ERR_CONFINE_TIMEOUT', `There was no answer within ${options.timeoutMs} ms`)
    const error = options.overdue === undefined ? late() : options.overdue()
    // It was made by a timer, in which nobody's call can be seen.
    this.resolve(awaitedFailure(() => noticedHere(error)))
    this.cancel(this, error)
  }

  /** It was answered with a failure. */
  fail(payload: ErrorPayload, revive: (payload: ErrorPayload) => Error): void {
    const { options } = this
    this.resolve(awaitedFailure(() => (options.toError === undefined ? revive(payload) : noticedHere(options.toError(payload)))))
  }

  /** It was answered, or nobody waits any more. */
  leave(): void {
    if (this.#aborted !== undefined) this.options.signal?.removeEventListener('abort', this.#aborted)
    this.caller?.requestsWithin?.delete(this.id)
    this.options.settled?.()
  }
}
