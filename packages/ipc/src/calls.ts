import { ConfineError } from '@confine-sandbox/contract'

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

/** The key of a call of the other side: text, whose hash it cannot foresee. */
export function incomingKey(id: number): string {
  return `request ${id}`
}

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
  readonly isInvoke: boolean
  /** Answers it with a failure before its time. */
  fail: ((reason: Error) => void) | undefined
  /** Requests of this side that were made within it; they are cancelled with it. Made when there is one. */
  requestsWithin: Set<number> | undefined
  #within: Outgoing | undefined
  #controller: AbortController | undefined
  #abortedBy: Error | undefined

  constructor(id: number, cid: number, method: string, params: unknown[], isInvoke = false) {
    this.id = id
    this.isInvoke = isInvoke
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
  overdue?: (() => Error) | undefined
  /** How long each item of the streams in the answer may be waited for. @default what the peer says for the container */
  readonly itemOptions?: ItemOptions | undefined
}

/** How long one item of a stream may be waited for, and what to say then. */
export type ItemOptions = Pick<RequestOptions, 'timeoutMs' | 'overdue'>

/** A request of this side until it is answered. */
export class Outgoing {
  readonly cid: number
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  /** Whether a function of the other side was called, not a method. */
  readonly isInvoke: boolean
  /** The incoming call within which it was asked. */
  readonly caller: Incoming | undefined
  /** For the streams in its answer. */
  readonly itemOptions: ItemOptions | undefined
  /** Calls of the other side that were made within it. Made when there is one. */
  callsWithin: Set<Incoming> | undefined
  #timer: NodeJS.Timeout | undefined
  #signal: AbortSignal | undefined
  #aborted: (() => void) | undefined

  constructor(
    cid: number,
    isInvoke: boolean,
    caller: Incoming | undefined,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
    itemOptions?: ItemOptions,
  ) {
    this.cid = cid
    this.itemOptions = itemOptions
    this.isInvoke = isInvoke
    this.caller = caller
    this.resolve = resolve
    this.reject = reject
  }

  /** Calls `cancel` when the options say that nobody waits any more. */
  watch({ signal, timeoutMs, overdue }: RequestOptions, cancel: (reason: unknown) => void): void {
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const late = () => new ConfineError('ERR_CONFINE_TIMEOUT', `There was no answer within ${timeoutMs} ms`)
      this.#timer = setTimeout(() => cancel((overdue ?? late)()), timeoutMs)
    }
    if (signal === undefined) return
    this.#signal = signal
    this.#aborted = () => cancel(signal.reason)
    signal.addEventListener('abort', this.#aborted, { once: true })
  }

  /** It was answered, or nobody waits any more. */
  stopWatching(): void {
    clearTimeout(this.#timer)
    if (this.#aborted !== undefined) this.#signal?.removeEventListener('abort', this.#aborted)
  }
}
