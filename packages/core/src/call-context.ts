import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingCall } from '@confine-sandbox/ipc'
import type { Container } from './container.ts'

/** What a function among the globals may know of the call that it answers. */
export interface CallContext {
  /** The container that calls. */
  readonly container: Container
  /** The dotted name under which it calls. */
  readonly name: string
  /**
   * Aborts when nobody waits for the answer any more: the guest cancelled, the call of the host within which the guest
   * called was cancelled or is overdue, the container or its process ended. Its reason is a ConfineError.
   */
  readonly signal: AbortSignal
}

/**
 * The call that is being answered, for functions among the globals and whatever they await. Undefined elsewhere.
 *
 * ```
 * globals: { fetchText: async (url) => (await fetch(url, { signal: callContext()?.signal })).text() }
 * ```
 */
export function callContext(): CallContext | undefined {
  return storage().getStore()
}

/** Calls a function with a context. */
export function withCallContext(call: IncomingCall, container: Container, fn: Function, owner: unknown): unknown {
  return storage().run(new AnsweredCall(call, container), Reflect.apply, fn, owner, call.params)
}

class AnsweredCall implements CallContext {
  readonly container: Container
  readonly #call: IncomingCall

  constructor(call: IncomingCall, container: Container) {
    this.#call = call
    this.container = container
  }

  get name(): string {
    return this.#call.method
  }

  // A signal is made when it is asked for.
  get signal(): AbortSignal {
    return this.#call.signal
  }
}

/** One for the ESM and the CJS copy of this module: a function of either may ask. */
function storage(): AsyncLocalStorage<CallContext> {
  const holder = globalThis as { [key]?: AsyncLocalStorage<CallContext> }
  holder[key] ??= new AsyncLocalStorage()
  return holder[key]
}

const key: unique symbol = Symbol.for('confine-sandbox.call-context') as never
