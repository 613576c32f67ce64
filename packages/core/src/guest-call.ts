import type { ConfineError, EndReason } from '@confine-sandbox/contract'
import type { ErrorPayload, ItemOptions, RequestOptions } from '@confine-sandbox/ipc'
import { abortError } from './abort.ts'
import { callFailure } from './guest-failure.ts'
import type { OpenContainer } from './open-container.ts'
import { Overdue } from './timeouts.ts'

/** What a call asks of those who made it. */
export interface GuestCallOwner {
  /** Ends a container that took too long. */
  end(cid: number, error: ConfineError, end?: EndReason): void
}

type GuestCallBudget = Pick<GuestCall, 'timeoutMs' | 'signal' | 'itemOptions'>

/** A call of the host in a container: its budget, and what becomes of it when it fails. One object, as there are many calls. */
export class GuestCall implements RequestOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly itemOptions: ItemOptions | undefined
  readonly #owner: GuestCallOwner
  readonly #open: OpenContainer
  readonly #method: string
  readonly #what: string | undefined

  /** @param what As the error for a call that takes too long has it. @default the call of the method */
  constructor(
    owner: GuestCallOwner,
    open: OpenContainer,
    method: string,
    { timeoutMs, signal, itemOptions }: GuestCallBudget,
    what?: string,
  ) {
    this.timeoutMs = timeoutMs
    this.signal = signal
    this.itemOptions = itemOptions
    this.#owner = owner
    this.#open = open
    this.#method = method
    this.#what = what
  }

  sent(): void {
    this.#open.begin()
  }

  settled(): void {
    this.#open.end()
  }

  overdue(): ConfineError {
    const { cid } = this.#open
    const what = this.#what ?? `the call of ${this.#method.slice(0, 200)} in container ${cid}`
    const late = new Overdue('call', what, this.timeoutMs, { cid, method: this.#method })
    // Once nobody waits for this call any more: who waits for the others is told of the container's end.
    queueMicrotask(() => this.#owner.end(cid, late.error, late.end))
    return late.error
  }

  aborted(signal: AbortSignal): ConfineError {
    return abortError(signal)
  }

  toError(payload: ErrorPayload): ConfineError {
    return callFailure(payload, this.#method, this.#open.cid)
  }
}
