import { ConfineError, type GuestEnd, type Violation } from '@confine-sandbox/contract'
import type { IncomingCall, RequestOptions } from '@confine-sandbox/ipc'
import { ConsoleEvents } from './console-events.ts'
import type { ContainerClosed, ContainerHost } from './container.ts'
import { maxContainersOf } from './container-limit.ts'
import { containerClosed, ContainerTable } from './container-table.ts'
import { publish } from './diagnostics.ts'
import { tell } from './events.ts'
import type { FlatGlobals } from './globals.ts'
import type { GuestContainers } from './guest-containers.ts'
import { GuestOutput } from './guest-output.ts'
import type { GuestSessionOwner } from './guest-session.ts'
import { answerCallback, answerGuest, type HostFunctionFailure } from './host-functions.ts'
import type { Sandbox } from './sandbox.ts'

/** What the host's side of a sandbox needs of it. */
export interface HostSideOwner {
  /** Whose events it tells. */
  readonly sandbox: Sandbox
  /** What its containers ask for. */
  readonly containerHost: ContainerHost
  /** The guest, from its launch on. */
  guest(): GuestContainers | undefined
  /** The guest process is gone. `failure` is for those who still wait. */
  ended(end: GuestEnd, exitCode: number, failure: ConfineError): void
}

/**
 * What of the host a guest reaches: the globals, the table of containers, its output and its console. What it says is
 * compared with these, and told by the events of the sandbox.
 */
export class HostSide implements GuestSessionOwner {
  /** What the guest may call. */
  globals: FlatGlobals
  readonly containers: ContainerTable
  readonly outputs = { stdout: new GuestOutput(), stderr: new GuestOutput() }
  readonly #owner: HostSideOwner
  readonly #sandbox: Sandbox
  readonly #console = new ConsoleEvents({
    logged: (event) => tell(this.#sandbox, 'console', event),
    dropped: (count) => tell(this.#sandbox, 'console-dropped', { count }),
  })

  constructor(owner: HostSideOwner, globals: FlatGlobals) {
    this.#owner = owner
    this.#sandbox = owner.sandbox
    this.globals = globals
    this.containers = new ContainerTable(owner.containerHost, (closed) => this.#containerHasClosed(closed))
  }

  hostCall(call: IncomingCall): unknown {
    return answerGuest(call, this.containers, this.globals, this.#hostFunctionFailed())
  }

  hostCallback(callback: Function, call: IncomingCall): unknown {
    return answerCallback(callback, call, this.containers)
  }

  callbackOptions(cid: number): RequestOptions {
    return this.#owner.guest()?.callbackOptions(cid) ?? {}
  }

  containerClosed(cid: number, exitCode: number): void {
    this.#requireKnown(cid, 'closed')
    this.containers.close({ cid, exitCode })
    // A process made for one container ends by itself now; this makes sure.
    if (maxContainersOf(this.#sandbox.opts) === 1) this.#owner.guest()?.session.expectEnd()
  }

  output(name: 'stdout' | 'stderr', chunk: Buffer): Promise<void> | undefined {
    return this.outputs[name].write(chunk)
  }

  consoleNotice(cid: number, params: unknown[], heldBytes: number): void {
    this.#requireKnown(cid, 'logged in')
    if (this.containers.get(cid) !== undefined) this.#console.take(cid, params, heldBytes)
  }

  containerFailed(cid: number, error: ConfineError): void {
    if (this.containers.get(cid) !== undefined) tell(this.#sandbox, 'container-runtime-error', { cid, error })
  }

  violation(violation: Violation): void {
    publish('violation', () => ({ sandbox: this.#sandbox, violation }))
    tell(this.#sandbox, 'violation', violation)
  }

  violationsDropped(count: number): void {
    tell(this.#sandbox, 'violations-dropped', { count })
  }

  ended(end: GuestEnd, exitCode: number, failure: ConfineError): void {
    this.#owner.ended(end, exitCode, failure)
  }

  /** Closes all that is open, and tells that the guest is gone. @param failure is what ended its containers, unless the host did. */
  close(end: GuestEnd, failure?: ConfineError): void {
    for (const cid of this.containers.cids) this.containers.close(failure === undefined ? { cid, exitCode: 0 } : { cid, error: failure })
    this.#console.close()
    publish('end', () => ({ sandbox: this.#sandbox, end }))
    for (const output of Object.values(this.outputs)) output.end()
    tell(this.#sandbox, 'guest-ended', end)
  }

  /** Nobody waits for it any more, whatever the guest goes on to say. */
  #containerHasClosed(closed: ContainerClosed): void {
    const { cid, error } = closed
    this.#owner.guest()?.session.peer.abandon(cid, containerClosed(closed))
    tell(this.#sandbox, 'container-closed', closed)
    if (error !== undefined) tell(this.#sandbox, 'container-runtime-error', { cid, error })
  }

  #hostFunctionFailed(): ((failure: HostFunctionFailure) => void) | undefined {
    const isHeard = this.#sandbox.listenerCount('host-function-error') > 0
    return isHeard ? (failure) => tell(this.#sandbox, 'host-function-error', failure) : undefined
  }

  #requireKnown(cid: number, did: string): void {
    if (this.containers.knows(cid)) return
    throw new ConfineError('ERR_CONFINE_PROTOCOL', `The guest ${did} container ${cid}, which never was`)
  }
}
