import type { Channel } from '@confine-sandbox/contract'
import type { IncomingCall, RequestOptions } from './calls.ts'
import type { ErrorPayload } from './error-payload.ts'
import type { ChannelLimits } from './limits.ts'

/** What the owner of a peer decides. */
export interface PeerOptions {
  readonly channel: Channel
  /** Answers a request. What it throws is told to the other side by `describeError`. */
  request(call: IncomingCall): unknown
  /**
   * Calls a function of this side that the other side holds. `call.cid` is the container for which it crossed, as this side
   * knows it. @default calls it with the parameters
   */
  invoke?(callback: Function, call: IncomingCall): unknown
  /**
   * Takes a notification. What it throws ends the session as a protocol fault.
   * @param heldBytes Memory that the parameters hold, as it is estimated here.
   */
  notify(cid: number, method: string, params: unknown[], heldBytes: number): void
  /** Called once, when the channel has closed. Pending requests wait for `close(reason)`. */
  closed(error?: Error): void
  /** How something thrown is told to the other side. @default name, message and code */
  describeError?(thrown: unknown): ErrorPayload
  /**
   * Makes the error that a failed request rejects with.
   * @param cid The container, when what failed is no request but a function or stream that crossed for it.
   */
  reviveError(payload: ErrorPayload, cid?: number): Error
  /** The number of the incoming call within which this side asks right now: cancelling that one cancels what it asked. @default none */
  within?(): number | undefined
  /** Called before anything is done for the other side that is no call of it: a stream of this side is asked for more, a function released. */
  outside?(): void
  /** Options of a call of a function that crossed from the other side, for a container, and of the wait for an item of a stream. */
  callbackOptions?(cid: number): RequestOptions
  readonly limits?: ChannelLimits
  /** Whether errors among the values take their stacks along. @default false */
  readonly errorStacks?: boolean
}
