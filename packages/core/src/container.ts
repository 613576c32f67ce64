import { ConfineError } from '@confine-sandbox/contract'
import type { Abortable } from './abort.ts'

/** How a container closed. */
export type ContainerClosed =
  | { readonly cid: number; readonly exitCode: number; readonly error?: undefined }
  | { readonly cid: number; readonly error: ConfineError; readonly exitCode?: undefined }

/** What a container needs of its sandbox. */
export interface ContainerHost {
  handleAPICall(cid: number, methodName: string, params: any[], options?: CallOptions): Promise<any>
  killContainer(container: { cid: number }, options?: Abortable): Promise<void>
}

/** Options of one call. Aborting its `signal` also aborts the host's functions that the guest called within it; the guest's code may go on. */
export interface CallOptions extends Abortable {
  /** How long the call may take, with all that it waits for, milliseconds; then its container is ended. Infinity: for ever. @default timeoutMs of the sandbox */
  readonly timeoutMs?: number | undefined
}

/** A program that runs in the guest process, with its own exports. */
export class Container implements AsyncDisposable {
  /** Names this container within its sandbox. */
  readonly cid: number
  /** The runtime options it was made with. */
  readonly opts: Readonly<Record<string, unknown>>
  /** Settles once, when the container has closed, however that came. Never rejects. */
  readonly closed: Promise<ContainerClosed>
  readonly #host: ContainerHost

  /** @internal */
  constructor(host: ContainerHost, cid: number, opts: Readonly<Record<string, unknown>>, closed: Promise<ContainerClosed>) {
    this.#host = host
    this.cid = cid
    this.opts = opts
    this.closed = closed
  }

  /**
   * Calls an exported function of the program.
   * @param name Its name, dotted for nested ones: `math.add`.
   * @throws ERR_CONFINE_METHOD_NOT_FOUND, ERR_CONFINE_GUEST_THREW, ERR_CONFINE_VALUE, ERR_CONFINE_GUEST_ENDED, …
   */
  call(name: string, params: any[] = [], options: CallOptions = {}): Promise<any> {
    return this.#host.handleAPICall(this.cid, name, params, options)
  }

  /** Closes the container. Does nothing when it has closed already. */
  async close(options: Abortable = {}): Promise<void> {
    try {
      await this.#host.killContainer(this, options)
    } catch (error) {
      if (!ConfineError.is(error) || !closedAlready.has(error.code)) throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const closedAlready = new Set<string>(['ERR_CONFINE_CONTAINER_NOT_FOUND', 'ERR_CONFINE_TORN_DOWN', 'ERR_CONFINE_GUEST_ENDED'])
