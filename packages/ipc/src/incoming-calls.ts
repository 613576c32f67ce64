import { ConfineError } from '@confine-sandbox/contract'
import type { Incoming } from './calls.ts'
import { IdTable } from './id-table.ts'
import type { ChannelLimits } from './limits.ts'
import type { PeerOptions } from './peer-options.ts'

/** What the calls of the other side need of their peer. */
export interface IncomingCallsLink {
  readonly limits: ChannelLimits
  readonly options: Pick<PeerOptions, 'request' | 'invoke'>
  /** Tells the other side the result. @throws when it cannot cross. */
  succeed(call: Incoming, value: unknown): void
  fail(call: Incoming, thrown: unknown): void
}

/** The calls of the other side that are under way, each until it is answered, once. */
export class IncomingCalls {
  readonly #link: IncomingCallsLink
  readonly #calls = new IdTable<Incoming>()
  #heldBytes = 0

  constructor(link: IncomingCallsLink) {
    this.#link = link
  }

  get(id: number): Incoming | undefined {
    return this.#calls.get(id)
  }

  /**
   * Takes a call in.
   * @returns false when there is no room for it, which it was told.
   * @throws ERR_CONFINE_PROTOCOL
   */
  admit(call: Incoming): boolean {
    const { maxPendingRequests, maxPendingBytes } = this.#link.limits
    if (this.#calls.get(call.id) !== undefined) throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received request ${call.id} twice`)
    if (this.#calls.size >= maxPendingRequests) {
      throw new ConfineError('ERR_CONFINE_PROTOCOL', `Received more than ${maxPendingRequests} requests at once`)
    }
    if (this.#calls.size > 0 && this.#heldBytes + call.heldBytes > maxPendingBytes) {
      this.#link.fail(call, new ConfineError('ERR_CONFINE_LIMIT', `The calls under way hold more than ${maxPendingBytes} bytes`))
      return false
    }
    this.#calls.add(call)
    this.#heldBytes += call.heldBytes
    return true
  }

  /** Does what is asked, and answers when it is done. */
  answer(call: Incoming): void {
    try {
      const answer = this.#act(call)
      if ((typeof answer !== 'object' && typeof answer !== 'function') || answer === null) {
        this.#succeed(call, answer)
        return
      }
      // Never trusts a thenable: a promise of this realm adopts it, and reports what it throws.
      Promise.resolve(answer).then(
        (value) => this.#succeed(call, value),
        (thrown) => this.fail(call, thrown),
      )
    } catch (error) {
      this.fail(call, error)
    }
  }

  /** Answers a call with a failure, if it was not answered before. */
  fail(call: Incoming, thrown: unknown): void {
    if (this.#take(call)) this.#link.fail(call, thrown)
  }

  /** Aborts some calls and answers them before their time. */
  failEach(reason: Error, which: (call: Incoming) => boolean): void {
    for (const call of this.#calls.all()) {
      if (!which(call)) continue
      call.abort(reason)
      this.fail(call, reason)
    }
  }

  /** Nobody waits for their answers. */
  abortAll(reason: Error): void {
    const calls = this.#calls.all()
    this.#calls.clear()
    this.#heldBytes = 0
    for (const call of calls) call.abort(reason)
  }

  #act(call: Incoming): unknown {
    const { options } = this.#link
    const { callback } = call
    if (callback === undefined) return options.request(call)
    if (callback === null) throw new ConfineError('ERR_CONFINE_REVOKED', 'The callback was released, or its container has closed')
    return options.invoke === undefined ? Reflect.apply(callback, undefined, call.params) : options.invoke(callback, call)
  }

  #succeed(call: Incoming, value: unknown): void {
    if (!this.#take(call)) return
    try {
      this.#link.succeed(call, value)
    } catch (error) {
      this.#link.fail(call, error)
    }
  }

  /** Returns whether it waited for an answer. */
  #take(call: Incoming): boolean {
    // After a fault another call may have its number.
    if (this.#calls.get(call.id) !== call) return false
    this.#calls.delete(call.id)
    this.#heldBytes -= call.heldBytes
    call.leave()
    return true
  }
}
