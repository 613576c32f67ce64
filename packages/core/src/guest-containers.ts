import { type ApiDescription, type ConfineError, type EndReason, type RuntimeUsage, readApiDescription } from '@confine-sandbox/contract'
import { type ExecRequest, guestMethod } from '@confine-sandbox/guest'
import type { ErrorPayload, RequestOptions } from '@confine-sandbox/ipc'
import { checkSignal } from './abort.ts'
import { asCallOptions } from './call-options.ts'
import { ClosingDeadlines, closeTimeoutMs } from './closing-deadlines.ts'
import type { CallOptions, ContainerUsage } from './container.ts'
import { maxContainersOf } from './container-limit.ts'
import type { ContainerTable } from './container-table.ts'
import type { ExecProgram } from './exec-options.ts'
import { GuestCall } from './guest-call.ts'
import { loadFailure } from './guest-failure.ts'
import type { GuestSession } from './guest-session.ts'
import type { OpenContainer } from './open-container.ts'
import type { CheckedOptions } from './options.ts'
import { checkTimeout, Overdue } from './timeouts.ts'

/** What the containers of a guest process need of their owner. */
export interface GuestContainersOwner {
  readonly options: CheckedOptions
  readonly session: GuestSession
  readonly table: ContainerTable
  /** The process is about to be ended for a container in it. Returns what to tell those who ask for more. */
  ending(why: string, cause: ConfineError): ConfineError
}

/** Asks the guest process for its containers, each time within a budget, and ends those that exceed it. */
export class GuestContainers {
  readonly #owner: GuestContainersOwner
  readonly #deadlines = new ClosingDeadlines((cid) => this.session.process.stop(closingTooSlow(cid)))

  constructor(owner: GuestContainersOwner) {
    this.#owner = owner
  }

  /** The process that they are in. */
  get session(): GuestSession {
    return this.#owner.session
  }

  /** Loads a program into a container of the table, or takes that out again. */
  async load(open: OpenContainer, request: ExecRequest, { signal, loadTimeoutMs, idleTimeoutMs }: ExecProgram): Promise<void> {
    const { cid } = open
    let wasAnswered = false
    const toError = (payload: ErrorPayload) => {
      wasAnswered = true
      return loadFailure(payload)
    }
    let late: Overdue | undefined
    const overdue = () => {
      late = new Overdue('load', `loading container ${cid}`, loadTimeoutMs, { cid })
      return late.error
    }
    const { session } = this.#owner
    session.peer.openScope(cid)
    try {
      await session.request(0, guestMethod.exec, [request], { toError, signal, timeoutMs: loadTimeoutMs, overdue })
    } catch (error) {
      const failure = error as ConfineError
      if (failure === late?.error) this.end(cid, failure, late.end)
      else if (failure.code === 'ERR_CONFINE_ABORTED') this.end(cid, failure)
      // Nothing was sent: an option cannot cross.
      else if (!wasAnswered && (failure.code === 'ERR_CONFINE_VALUE' || failure.code === 'ERR_CONFINE_LIMIT')) this.#forget(cid)
      else this.#loadFailed(cid, failure)
      throw error
    }
    const idle = () => {
      const { error, end } = new Overdue('idle', `the idle time of container ${cid}`, idleTimeoutMs, { cid })
      this.end(cid, error, end)
    }
    open.loaded(idleTimeoutMs, () => session.peer.lastStreamed(cid), idle)
  }

  /** Calls a function of a container's program. @throws ERR_CONFINE_BAD_OPTION at once; everything else rejects. */
  call(open: OpenContainer, method: string, params: unknown[], options: CallOptions): Promise<unknown> {
    return this.#ask(open, open.cid, method, params, options)
  }

  /**
   * Asks the process for something in a container, within the budget of one call.
   * @param what For the error, when it takes too long.
   */
  async ask(open: OpenContainer, method: string, params: unknown[], what: string, options: CallOptions): Promise<unknown> {
    return await this.#ask(open, 0, method, params, options, what)
  }

  #ask(open: OpenContainer, cid: number, method: string, params: unknown[], options: CallOptions, what?: string): Promise<unknown> {
    const { timeoutMs: given, signal: signaled } = asCallOptions(options)
    const timeoutMs = given === undefined ? this.#owner.options.timeoutMs : checkTimeout('timeoutMs', given)
    const signal = checkSignal(signaled)
    const itemOptions = given === undefined ? undefined : this.callbackOptions(open.cid, timeoutMs)
    open.calls++
    const call = new GuestCall(this, open, method, { timeoutMs, signal, itemOptions }, what)
    return this.#owner.session.peer.request(cid, method, params, call)
  }

  /** What a container exports. The guest's word: read as data. */
  async describe(open: OpenContainer, options: CallOptions): Promise<ApiDescription> {
    const { cid } = open
    return readApiDescription(await this.ask(open, guestMethod.describe, [cid], `describing container ${cid}`, options))
  }

  /** What a container has used; a guest that is too busy is not waited for. */
  async usage({ cid, calls, hostCalls, madeAt }: OpenContainer, signal: AbortSignal | undefined): Promise<ContainerUsage> {
    const counted = { wallMs: performance.now() - madeAt, calls, hostCalls }
    try {
      const told = await this.#owner.session.request(0, guestMethod.usage, [cid], { signal, timeoutMs: usageTimeoutMs })
      return { ...counted, ...readUsage(told) }
    } catch (error) {
      if ((error as ConfineError).code === 'ERR_CONFINE_TIMEOUT' && this.#owner.table.get(cid) !== undefined) return counted
      throw error
    }
  }

  /**
   * A function that a container gave the host as a value has the same budget as a call by name, and so has each item of a stream
   * that the host waits for; that of the call, when it brought the stream and had a budget of its own.
   */
  callbackOptions(cid: number, timeoutMs: number = this.#owner.options.timeoutMs): RequestOptions {
    const overdue = () => {
      const late = new Overdue('call', `a callback or an item of a stream of container ${cid}`, timeoutMs, { cid })
      // Whoever called is told first.
      queueMicrotask(() => this.end(cid, late.error, late.end))
      return late.error
    }
    return { timeoutMs, overdue }
  }

  /**
   * Ends a container that may not wish to: at once for whoever waits for it, and in the guest as fast as the runtime can
   * make sure of it; where it cannot, the process ends.
   * @param end The reason to give for the end of the process.
   */
  end(cid: number, error: ConfineError, end?: EndReason): void {
    const { table, session, options } = this.#owner
    if (table.get(cid) === undefined) return
    table.close({ cid, error })
    if (options.runtime.stopsContainers === true && this.#isShared) {
      this.close(cid).catch(() => {
        // Nobody answers any more when the process is being ended; it is not that the container was slow.
        if (!session.process.isEnding) session.process.stop(closingTooSlow(cid))
      })
      return
    }
    const failure = this.#owner.ending('a container had to be ended, which its runtime cannot do alone', error)
    if (end === undefined) session.end(failure)
    else session.process.stop(end)
  }

  /** Closes a container in the guest; a process that does not do so within a second, one container after the other, is ended. */
  async close(cid: number): Promise<void> {
    const closed = this.#deadlines.begin(cid)
    try {
      await this.#owner.session.request(0, guestMethod.kill, [cid])
    } catch (error) {
      // It closed by itself meanwhile.
      if ((error as ConfineError).code !== 'ERR_CONFINE_CONTAINER_NOT_FOUND') throw error
    } finally {
      closed()
    }
  }

  get #isShared(): boolean {
    return maxContainersOf(this.#owner.options) > 1
  }

  #forget(cid: number): void {
    this.#owner.table.forget(cid)
    this.#owner.session.peer.closeScope(cid)
  }

  #loadFailed(cid: number, error: ConfineError): void {
    const { table, session } = this.#owner
    if (table.get(cid) === undefined) return
    table.close({ cid, error })
    // What the program left behind must not meet the next one.
    if (!this.#isShared) session.end(this.#owner.ending('its one program did not load', error))
  }
}

/** How long a guest may take to tell what it used. */
const usageTimeoutMs = 250

function readUsage(told: unknown): RuntimeUsage {
  const { cpuMs, heapMiB } = (typeof told === 'object' && told !== null ? told : {}) as Record<string, unknown>
  const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && Number.isFinite(value)
  return { ...(isAmount(cpuMs) ? { cpuMs } : {}), ...(isAmount(heapMiB) ? { heapMiB } : {}) }
}

function closingTooSlow(cid: number): EndReason {
  return { kind: 'timeout', what: `closing container ${cid}`, timeoutMs: closeTimeoutMs }
}
