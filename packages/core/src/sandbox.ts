import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import { ConfineError, type GuestEnd } from '@confine-sandbox/contract'
import { type ExecRequest, guestMethod } from '@confine-sandbox/guest'
import type { ErrorPayload, IncomingCall, Peer } from '@confine-sandbox/ipc'
import type { CallOptions, Container, ContainerClosed } from './container.ts'
import type { SandboxEvents } from './events.ts'
import { readProgram, type SandboxExecContainerOpts } from './exec-options.ts'
import { type FlatGlobals, flattenGlobals } from './globals.ts'
import { callFailure, loadFailure, methodNotFound } from './guest-failure.ts'
import { GuestSession, type GuestSessionOwner } from './guest-session.ts'
import type { IsolationReport } from './isolation-report.ts'
import { OpenContainer } from './open-container.ts'
import { type CheckedOptions, checkOptions, type CoreSandboxOptions } from './options.ts'

/** A container as the fixed API names it. */
export interface ConfineContainer {
  cid: number
  opts?: any
}

/** What `sbx.ipc` is: the call protocol's end in the host. */
export type ConfineIPC = Peer

/**
 * A guest process that the operating system confines, and the containers in it. One sandbox is one trust domain: its
 * containers share a process. Programs that must not trust each other belong in sandboxes of their own.
 */
export class Sandbox extends EventEmitter<SandboxEvents> implements AsyncDisposable {
  /** The options, checked and with their defaults. */
  opts: CheckedOptions
  /** The guest's process; on Linux the supervisor above it. Set by `init()`. */
  guestProcess?: ChildProcess
  /** Set only with a listening transport. The default is a socket that the guest inherits: nobody can connect to it. */
  ipcServer?: Server
  /** Set only with a listening transport. */
  ipcServerPort?: number
  /** Set only with a listening transport. */
  ipcClientPort?: number
  /** The call channel's end in this process. Set by `init()`. */
  ipc?: ConfineIPC
  /** Resolves when the guest process is gone, with its exit code: 128 + n when signal n ended it, as shells say. */
  whenGuestProcessClosed: Promise<number>
  /** What the guest may call: dotted name → function. Made once, of own properties only. */
  globalsMap: Map<string, Function>
  /** How the guest process ended. Undefined before. */
  guestEnd: GuestEnd | undefined
  readonly #globals: FlatGlobals
  readonly #containers = new Map<number, OpenContainer>()
  #session: GuestSession | undefined
  #initialized: Promise<void> | undefined
  #failure: ConfineError | undefined
  #lastCid = 0
  #closed: (exitCode: number) => void

  /** @throws ERR_CONFINE_BAD_OPTION */
  constructor(options: CoreSandboxOptions) {
    super()
    this.opts = checkOptions(options)
    this.#globals = flattenGlobals(this.opts.globals)
    this.globalsMap = this.#globals.functions
    const closed = Promise.withResolvers<number>()
    this.whenGuestProcessClosed = closed.promise
    this.#closed = closed.resolve
  }

  /** The exit code of the guest process; null while it runs or when a signal ended it, undefined before it was launched. */
  get guestExitCode(): number {
    return this.guestProcess?.exitCode as number
  }

  /** The signal that ended the guest process: SIGSYS after a violation. Null while it runs, undefined before it was launched. */
  get guestExitSignal(): string {
    return this.guestProcess?.signalCode as string
  }

  /** Whether the guest process was launched and is alive. */
  get isGuestProcessActive(): boolean {
    return this.guestProcess !== undefined && this.guestProcess.exitCode === null && this.guestProcess.signalCode === null
  }

  /** Absolute path of the runtime's main module, which the guest loads. */
  get runtimePath(): string {
    return this.opts.runtime.entry
  }

  /** What confines the guest. */
  get isolation(): IsolationReport {
    return {
      backend: this.opts.noSandbox ? 'none' : (this.opts.isolation?.name ?? 'none'),
      layers: [],
      ...this.#session?.holds,
      isLocked: this.#session?.isReady ?? false,
    }
  }

  /**
   * Launches the guest process and waits until it is locked. Called by the first `execContainer`; calling it again waits
   * for the same launch.
   * @throws ERR_CONFINE_SETUP_FAILED, ERR_CONFINE_RUNTIME_INVALID, ERR_CONFINE_ISOLATION_UNAVAILABLE, ERR_CONFINE_GUEST_ENDED, ERR_CONFINE_TIMEOUT, ERR_CONFINE_TORN_DOWN
   */
  init(): Promise<void> {
    this.#initialized ??= this.#launch()
    return this.#initialized
  }

  /** Ends the guest process and everything in it. Calling it again waits for the same end. Resolves with its exit code. */
  async teardown(): Promise<number> {
    this.#failure ??= new ConfineError('ERR_CONFINE_TORN_DOWN', 'The sandbox was torn down. Make a new one')
    if (this.#session === undefined) this.#closed(0)
    else if (this.guestEnd === undefined) this.#session.end(this.#failure)
    return await this.whenGuestProcessClosed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.teardown().then(() => {})
  }

  /** The open containers, of the host's own table. */
  async listContainers(): Promise<ConfineContainer[]> {
    return [...this.#containers.values()].filter(({ isLoaded }) => isLoaded).map(({ container }) => container)
  }

  /**
   * Runs a program in a new container and waits until it has loaded.
   * @throws ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_SOURCE_UNREADABLE, ERR_CONFINE_SOURCE_FAILED, ERR_CONFINE_CONTAINER_LIMIT,
   *   ERR_CONFINE_GUEST_ENDED, and what `init()` throws.
   */
  async execContainer(opts: SandboxExecContainerOpts | any): Promise<Container> {
    const { source, options } = await readProgram(opts)
    await this.init()
    const session = this.#requireSession()
    if (this.#containers.size >= this.#maxContainers) throw this.#containerLimit()
    const cid = ++this.#lastCid
    const open = new OpenContainer(this, cid, options)
    this.#containers.set(cid, open)
    session.peer.openScope(cid)
    const request: ExecRequest = {
      cid,
      source,
      options,
      functions: [...this.#globals.functions.keys()],
      values: this.#globals.values,
    }
    let wasAnswered = false
    const failed = (payload: ErrorPayload) => {
      wasAnswered = true
      return loadFailure(payload)
    }
    try {
      await session.request(0, guestMethod.exec, [request], failed)
    } catch (error) {
      // Nothing was sent: an option cannot cross.
      if (!wasAnswered && this.#failure === undefined) this.#forget(cid)
      else this.#loadFailed(cid, error as ConfineError)
      throw error
    }
    open.isLoaded = true
    return open.container
  }

  /**
   * Gives a container's runtime new options.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND
   */
  async configContainer({ cid, opts }: { cid: number; opts?: any }): Promise<void> {
    const session = this.#requireSession()
    this.#requireContainer(cid)
    await session.request(0, guestMethod.config, [cid, opts])
  }

  /**
   * Closes a container. Where the process was made for one container, or does not answer within a second, the process
   * ends with it.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_TIMEOUT
   */
  async killContainer({ cid }: ConfineContainer): Promise<void> {
    const session = this.#requireSession()
    this.#requireContainer(cid)
    if (this.#maxContainers === 1) {
      this.#closeContainer(cid, { cid, exitCode: 0 })
      await this.teardown()
      return
    }
    const cause = { kind: 'timeout', what: `closing container ${cid}`, timeoutMs: closeTimeoutMs } as const
    const deadline = setTimeout(() => session.process.stop(cause), closeTimeoutMs)
    try {
      await session.request(0, guestMethod.kill, [cid])
    } finally {
      clearTimeout(deadline)
    }
    this.#closeContainer(cid, { cid, exitCode: 0 })
  }

  /**
   * Calls an exported function of a container.
   * @param methodName Its name, dotted for nested ones: `math.add`.
   * @returns What the function returned, as data: nothing of it runs here.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_METHOD_NOT_FOUND, ERR_CONFINE_GUEST_THREW, ERR_CONFINE_VALUE, ERR_CONFINE_GUEST_ENDED, …
   */
  async handleAPICall(cid: number, methodName: string, params: any[] = [], options: CallOptions = {}): Promise<any> {
    const session = this.#requireSession()
    this.#requireContainer(cid)
    if (typeof methodName !== 'string')
      throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The name of the function to call must be a string')
    if (!Array.isArray(params)) throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The parameters of ${methodName} must be an array`)
    if (methodName.split('.').some((name) => unreachable.has(name))) throw methodNotFound(methodName, cid)
    return await session.request(cid, methodName, params, (payload) => callFailure(payload, methodName, cid), options.signal)
  }

  get #maxContainers(): number {
    return this.opts.maxContainers ?? this.opts.runtime.maxContainers
  }

  async #launch(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const session = this.#startSession()
    this.#session = session
    this.guestProcess = session.process.child
    this.ipc = session.peer
    try {
      await session.ready
    } catch (error) {
      throw this.#failure ?? error
    }
  }

  #startSession(): GuestSession {
    const owner: GuestSessionOwner = {
      hostCall: (call) => this.#hostCall(call),
      containerClosed: (cid, exitCode) => this.#containerClosed(cid, exitCode),
      containerFailed: (cid, error) => {
        if (this.#containers.has(cid)) this.#tell('container-runtime-error', { cid, error })
      },
      violation: (violation) => this.#tell('violation', violation),
      violationsDropped: (count) => this.#tell('violations-dropped', { count }),
      ended: (end, exitCode, failure) => this.#ended(end, exitCode, failure),
    }
    try {
      return new GuestSession(this.opts, owner)
    } catch (error) {
      // There is no process, and there will be none.
      this.#closed(126)
      throw error
    }
  }

  #hostCall({ cid, method, params }: IncomingCall): unknown {
    // The guest's word: both names are looked up in the host's own tables.
    if (!this.#containers.has(cid)) throw new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `There is no container ${cid}`)
    const fn = this.#globals.functions.get(method)
    if (fn === undefined) throw new ConfineError('ERR_CONFINE_METHOD_NOT_FOUND', `The host has no function ${method}`)
    return Reflect.apply(fn, this.#globals.owners.get(method), params)
  }

  #containerClosed(cid: number, exitCode: number): void {
    if (cid < 1 || cid > this.#lastCid) throw new ConfineError('ERR_CONFINE_PROTOCOL', `The guest closed container ${cid}, which never was`)
    this.#closeContainer(cid, { cid, exitCode })
    // A process made for one container ends by itself now; this makes sure.
    if (this.#maxContainers === 1) this.#session?.expectEnd()
  }

  #loadFailed(cid: number, error: ConfineError): void {
    if (!this.#containers.has(cid)) return
    this.#closeContainer(cid, { cid, error })
    if (this.#maxContainers > 1) return
    // What the program left behind must not meet the next one.
    this.#failure ??= new ConfineError(
      'ERR_CONFINE_GUEST_ENDED',
      'The guest process was ended: its one program did not load. Make a new Sandbox',
      {
        cause: error,
      },
    )
    this.#session?.end(this.#failure)
  }

  #closeContainer(cid: number, closed: ContainerClosed): void {
    const open = this.#containers.get(cid)
    if (open === undefined) return
    this.#forget(cid, closed.error)
    open.close(closed)
    this.#tell('container-closed', closed)
    if (closed.error !== undefined) this.#tell('container-runtime-error', { cid, error: closed.error })
  }

  #forget(cid: number, reason?: ConfineError): void {
    this.#containers.delete(cid)
    this.#session?.peer.closeScope(cid, reason)
  }

  #ended(end: GuestEnd, exitCode: number, failure: ConfineError): void {
    this.guestEnd = end
    const isTornDown = this.#failure !== undefined
    this.#failure ??= failure
    for (const cid of [...this.#containers.keys()]) {
      this.#closeContainer(cid, isTornDown ? { cid, exitCode: 0 } : { cid, error: failure })
    }
    this.#tell('guest-ended', end)
    this.#closed(exitCode)
  }

  /** An error of a listener is its author's: it surfaces as an uncaught exception, and stops nothing here. */
  #tell<Event extends keyof SandboxEvents>(event: Event, ...args: SandboxEvents[Event]): void {
    try {
      // The arguments fit the event; EventEmitter's types do not see that of a type parameter.
      ;(this as EventEmitter).emit(event, ...args)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }

  #requireSession(): GuestSession {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#session === undefined) {
      throw new ConfineError('ERR_CONFINE_CONTAINER_NOT_FOUND', 'The sandbox has no container yet: call execContainer first')
    }
    return this.#session
  }

  #requireContainer(cid: number): void {
    if (this.#containers.has(cid)) return
    throw new ConfineError('ERR_CONFINE_CONTAINER_NOT_FOUND', `The sandbox has no open container ${String(cid)}`)
  }

  #containerLimit(): ConfineError {
    const { name } = this.opts.runtime
    return new ConfineError(
      'ERR_CONFINE_CONTAINER_LIMIT',
      `A guest process with ${name} takes ${this.#maxContainers} container${this.#maxContainers === 1 ? '' : 's'} at once. ` +
        'Make another Sandbox, or set maxContainers when the programs may share a process',
    )
  }
}

/** How long a guest may take to close a container. */
const closeTimeoutMs = 1000

/** No runtime, however careless, is asked for what every object inherits. */
const unreachable: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
