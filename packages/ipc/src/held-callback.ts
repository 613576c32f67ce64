import { type Callback, ConfineError } from '@confine-sandbox/contract'
import { unheard } from './unheard.ts'

/** What a function of the other side needs of its peer. */
export interface HeldCallbackOwner {
  invoke(params: unknown[]): Promise<unknown>
  /** Called at most once. */
  release(): void
}

/** A function of the other side, as this side's table holds it. */
export class HeldCallback {
  #owner: HeldCallbackOwner | undefined
  #reason: (() => Error) | undefined

  /** @param owner Missing for a function whose container has closed. */
  constructor(owner: HeldCallbackOwner | undefined) {
    this.#owner = owner
  }

  /** What a program calls. Only it refers to the table's entry, so that one that nobody holds can be found to be garbage. */
  toFunction(): Callback {
    const callback = (...params: unknown[]) => unheard(this.#call(params))
    const release = { value: () => this.release(), configurable: true, writable: true }
    return Object.defineProperties(callback, { release, [Symbol.dispose]: release, name: { value: 'callback' } }) as unknown as Callback
  }

  release(): void {
    const owner = this.#owner
    this.#owner = undefined
    this.#reason ??= released
    owner?.release()
  }

  /** It cannot be called any more. */
  revoke(reason: Error): void {
    this.#owner = undefined
    this.#reason ??= () => reason
  }

  async #call(params: unknown[]): Promise<unknown> {
    if (this.#owner === undefined) throw this.#reason?.() ?? containerClosed('callback')
    return await this.#owner.invoke(params)
  }
}

/** The error of a function or stream that outlived its container. */
export function containerClosed(what: string): ConfineError {
  return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `The container of this ${what} has closed`)
}

/** Made when somebody calls: most callbacks are released as garbage, many at once. */
function released(): ConfineError {
  return new ConfineError('ERR_CONFINE_REVOKED', 'The callback was released')
}
