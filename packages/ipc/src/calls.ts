/** A call that the other side made. */
export interface IncomingCall {
  /** Which container is meant, or speaks; 0 is the guest process itself. A claim of the other side: check it. */
  readonly cid: number
  readonly method: string
  readonly params: unknown[]
  /** Aborts when the other side cancels the call or the channel closes. */
  readonly signal: AbortSignal
}

/** The key of a call of the other side: text, whose hash it cannot foresee. */
export function incomingKey(id: number): string {
  return `request ${id}`
}

/** A request of this side. */
export interface Pending {
  resolve(value: unknown): void
  reject(reason: unknown): void
  stopListening: (() => void) | undefined
  readonly cid: number
  /** Whether a function of the other side was called, not a method. */
  readonly isInvoke: boolean
}

/** A call of the other side. */
export class Incoming implements IncomingCall {
  readonly cid: number
  readonly method: string
  readonly params: unknown[]
  readonly isInvoke: boolean
  /** Answers it with a failure before its time. */
  fail: ((reason: Error) => void) | undefined
  #controller: AbortController | undefined
  #abortedBy: Error | undefined

  constructor(cid: number, method: string, params: unknown[], isInvoke = false) {
    this.cid = cid
    this.method = method
    this.params = params
    this.isInvoke = isInvoke
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
