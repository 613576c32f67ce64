import { type ApiDescription, ConfineError } from '@confine-sandbox/contract'
import type { Abortable } from './abort.ts'
import { type ContainerApi, containerApi } from './container-api.ts'

/** How a container closed. */
export type ContainerClosed =
  | { readonly cid: number; readonly exitCode: number; readonly error?: undefined }
  | { readonly cid: number; readonly error: ConfineError; readonly exitCode?: undefined }

/** What a container needs of its sandbox. */
export interface ContainerHost {
  call(cid: number, methodName: string, params: any[], options: CallOptions): Promise<any>
  close(cid: number, options: Abortable): Promise<void>
  describe(cid: number, options: CallOptions): Promise<ApiDescription>
  usage(cid: number, options: Abortable): Promise<ContainerUsage>
}

/** What a container has used so far. */
export interface ContainerUsage {
  /** Time since it was made, milliseconds. Counted by the host. */
  readonly wallMs: number
  /** Calls of the host so far. Counted by the host. */
  readonly calls: number
  /** Calls of the program so far. Counted by the host. */
  readonly hostCalls: number
  /** CPU time, milliseconds; with jseval, of its process. The guest's word, and missing when it is too busy to answer. */
  readonly cpuMs?: number
  /** Memory of its heap, MiB. The guest's word, and missing when it is too busy to answer. */
  readonly heapMiB?: number
}

/** Options of one call. Aborting its `signal` also aborts the host's functions that the guest called within it; the guest's code may go on. */
export interface CallOptions extends Abortable {
  /**
   * How long the call may take, with all that it waits for, milliseconds, and then each item of the streams that it returned, while
   * it is waited for; then its container is ended. Infinity: for ever. @default timeoutMs of the sandbox
   */
  readonly timeoutMs?: number | undefined
}

/**
 * A program that runs in the guest process, with its own exports.
 * @typeParam Api The type of its exports, such as `typeof import('./plugin.js')`: that of the program that you think it is.
 */
export class Container<Api = any> implements AsyncDisposable {
  /** Names this container within its sandbox. */
  readonly cid: number
  /** The runtime options it was made with. */
  readonly opts: Readonly<Record<string, unknown>>
  /** Settles once, when the container has closed, however that came. Never rejects. */
  readonly closed: Promise<ContainerClosed>
  /**
   * The exported functions, as functions: `container.api.math.add(1, 2)` is `container.call('math.add', [1, 2])`. It is no
   * promise, and has no `constructor` or other members of every object: what an export of such a name does is reached by `call`.
   */
  readonly api: ContainerApi<Api>
  readonly #host: ContainerHost

  /** @internal */
  constructor(host: ContainerHost, cid: number, opts: Readonly<Record<string, unknown>>, closed: Promise<ContainerClosed>) {
    this.#host = host
    this.cid = cid
    this.opts = opts
    this.closed = closed
    this.api = containerApi<Api>((name, params) => this.call(name, params))
  }

  /**
   * Calls an exported function of the program.
   * @param name Its name, dotted for nested ones: `math.add`.
   * @throws ERR_CONFINE_METHOD_NOT_FOUND, ERR_CONFINE_GUEST_THREW, ERR_CONFINE_VALUE, ERR_CONFINE_GUEST_ENDED, …
   */
  call(name: string, params: any[] = [], options: CallOptions = {}): Promise<any> {
    return this.#host.call(this.cid, name, params, options)
  }

  /**
   * What the program exports: names of functions, nested. The guest's word.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_TIMEOUT, ERR_CONFINE_ABORTED, ERR_CONFINE_GUEST_ENDED
   */
  describe(options: CallOptions = {}): Promise<ApiDescription> {
    return this.#host.describe(this.cid, options)
  }

  /**
   * What it has used so far.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_ABORTED, ERR_CONFINE_GUEST_ENDED
   */
  usage(options: Abortable = {}): Promise<ContainerUsage> {
    return this.#host.usage(this.cid, options)
  }

  /** Closes the container. Does nothing when it has closed already. */
  async close(options: Abortable = {}): Promise<void> {
    try {
      await this.#host.close(this.cid, options)
    } catch (error) {
      if (!ConfineError.is(error) || !closedAlready.has(error.code)) throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const closedAlready = new Set<string>(['ERR_CONFINE_CONTAINER_NOT_FOUND', 'ERR_CONFINE_TORN_DOWN', 'ERR_CONFINE_GUEST_ENDED'])
