import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import type { Readable } from 'node:stream'
import { ConfineError, type GuestEnd } from '@confine-sandbox/contract'
import { type ExecRequest, guestMethod, guestNotice } from '@confine-sandbox/guest'
import type { Peer, SocketLink } from '@confine-sandbox/ipc'
import { type Abortable, abortError, signalOf, untilAborted } from './abort.ts'
import { asContainer, checkCall } from './call-options.ts'
import { followConsoleListeners } from './console-events.ts'
import type { CallOptions, Container, ContainerHost } from './container.ts'
import { checkContainerLimit, maxContainersOf } from './container-limit.ts'
import { isObserved, observed } from './diagnostics.ts'
import type { SandboxEvents } from './events.ts'
import { readProgram, type SandboxExecContainerOpts } from './exec-options.ts'
import { type FlatGlobals, flattenGlobals } from './globals.ts'
import { GuestContainers } from './guest-containers.ts'
import type { LaunchWay } from './guest-process.ts'
import { GuestSession } from './guest-session.ts'
import { HostSide } from './host-side.ts'
import type { IsolationReport } from './isolation-report.ts'
import { placeOfSpawner } from './spawner/shared-spawner.ts'
import { connectTransport, dropLink } from './transport.ts'
import { checkOptionNames } from './option-names.ts'
import { type CheckedOptions, checkOptions, type CoreSandboxOptions } from './options.ts'

/** A container as the fixed API names it. */
export interface ConfineContainer {
  cid: number
  opts?: any
}

/** What `sbx.ipc` is: the call protocol's end in the host. */
export type ConfineIPC = Peer

/** Gives a sandbox in which nothing has run yet other globals. For the pool. */
export let giveGlobals: (sandbox: Sandbox, globals: FlatGlobals) => void

/** Whether programs are on their way into a sandbox. For the pool. */
export let isLoading: (sandbox: Sandbox) => boolean

/**
 * A guest process that the operating system confines, and the containers in it. One sandbox is one trust domain: its
 * containers share a process. Programs that must not trust each other belong in sandboxes of their own.
 */
export class Sandbox extends EventEmitter<SandboxEvents> implements AsyncDisposable {
  /** The options, checked and with their defaults. */
  opts: CheckedOptions
  /** The guest's process; on Linux the supervisor above it. Set by `init()`. */
  guestProcess?: ChildProcess
  /**
   * Set only with the transports `'unix'` and `'tcp'`, by `init()`. It takes the one connection of the guest and listens no more.
   * The default is a socket that the guest inherits: nobody can connect to it.
   */
  ipcServer?: Server
  /** Where the server listened. Set only with the transport `'tcp'`. */
  ipcServerPort?: number
  /** The guest's end of the connection. Set only with the transport `'tcp'`. */
  ipcClientPort?: number
  /** The call channel's end in this process. Set by `init()`. */
  ipc?: ConfineIPC
  /** Resolves when the guest process is gone, with its exit code: 128 + n when signal n ended it, as shells say. */
  whenGuestProcessClosed: Promise<number>
  /** What the guest may call: dotted name → function. Made once, of own properties only. */
  globalsMap: Map<string, Function>
  /** How the guest process ended. Undefined before. */
  guestEnd: GuestEnd | undefined
  readonly #host: HostSide
  #guest: GuestContainers | undefined
  #initialized: Promise<void> | undefined
  /** Why nothing can be asked of the guest any more. */
  #failure: ConfineError | undefined
  /** The host ended the process, for no fault of what is in it. */
  #isTornDown = false
  /** Programs that have not loaded yet. */
  #loading = 0
  #closed: (exitCode: number) => void

  static {
    giveGlobals = (sandbox, globals) => {
      sandbox.#host.globals = globals
      sandbox.globalsMap = globals.functions
    }
    isLoading = (sandbox) => sandbox.#loading > 0
  }

  /** @throws ERR_CONFINE_BAD_OPTION */
  constructor(options: CoreSandboxOptions) {
    super()
    this.opts = checkOptions(options)
    if (new.target === Sandbox) checkOptionNames(options)
    const globals = flattenGlobals(this.opts.globals)
    this.globalsMap = globals.functions
    this.#host = new HostSide(
      {
        sandbox: this,
        containerHost: this.#containerHost(),
        guest: () => this.#guest,
        ended: (end, exitCode, failure) => this.#ended(end, exitCode, failure),
      },
      globals,
    )
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

  /** What the guest writes to its stdout, from when this is first asked for. At most 64 KiB wait for a reader; then the guest waits. */
  get stdout(): Readable {
    return this.#host.outputs.stdout.stream
  }

  /** What the guest writes to its stderr, in the same way. */
  get stderr(): Readable {
    return this.#host.outputs.stderr.stream
  }

  /** What confines the guest. */
  get isolation(): IsolationReport {
    return {
      backend: this.opts.noSandbox ? 'none' : (this.opts.isolation?.name ?? 'none'),
      layers: [],
      ...this.#guest?.session.holds,
      isLocked: this.#guest?.session.isReady ?? false,
    }
  }

  /**
   * Launches the guest process and waits until it is locked. Called by the first `execContainer`; calling it again waits
   * for the same launch. An aborted `signal` ends the wait, not the launch: others may wait for it.
   * @throws ERR_CONFINE_SETUP_FAILED, ERR_CONFINE_RUNTIME_INVALID, ERR_CONFINE_ISOLATION_UNAVAILABLE, ERR_CONFINE_GUEST_ENDED,
   *   ERR_CONFINE_TIMEOUT, ERR_CONFINE_TORN_DOWN, ERR_CONFINE_ABORTED
   */
  async init(options: Abortable = {}): Promise<void> {
    const checked = signalOf(options)
    if (checked?.aborted) throw abortError(checked)
    this.#initialized ??= observed(
      'launch',
      () => ({ sandbox: this }),
      () => this.#launch(),
    )
    await untilAborted(this.#initialized, checked)
  }

  /** Ends the guest process and everything in it. Calling it again waits for the same end. Resolves with its exit code. */
  async teardown(options: Abortable = {}): Promise<number> {
    const checked = signalOf(options)
    if (this.#failure === undefined) this.#isTornDown = true
    this.#failure ??= new ConfineError('ERR_CONFINE_TORN_DOWN', 'The sandbox was torn down. Make a new one')
    if (this.#guest === undefined) this.#closed(0)
    else if (this.guestEnd === undefined) this.#guest.session.end(this.#failure)
    return await untilAborted(this.whenGuestProcessClosed, checked)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.teardown().then(() => {})
  }

  /** The open containers, of the host's own table. */
  async listContainers(options: Abortable = {}): Promise<ConfineContainer[]> {
    return await untilAborted(Promise.resolve(this.#host.containers.loaded), signalOf(options))
  }

  /**
   * Runs a program in a new container and waits until it has loaded. When that takes too long, or the `signal` aborts, the
   * container is ended; so is its process where the runtime cannot end one container for sure.
   * @typeParam Api The type of what the program exports, for `container.api`.
   * @throws ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_SOURCE_UNREADABLE, ERR_CONFINE_SOURCE_FAILED, ERR_CONFINE_LIMIT, ERR_CONFINE_CONTAINER_LIMIT,
   *   ERR_CONFINE_GUEST_ENDED, ERR_CONFINE_TIMEOUT, ERR_CONFINE_ABORTED, and what `init()` throws.
   */
  async execContainer<Api = any>(opts: SandboxExecContainerOpts | any): Promise<Container<Api>> {
    return await observed(
      'exec',
      () => ({ sandbox: this }),
      () => this.#exec<Api>(opts).finally(() => this.#loading--),
    )
  }

  async #exec<Api>(opts: unknown): Promise<Container<Api>> {
    this.#loading++
    const program = await readProgram(opts, this.opts, this.opts.runtime.modules)
    await this.init({ signal: program.signal })
    const guest = this.#requireGuest()
    const { containers, globals } = this.#host
    checkContainerLimit(this.opts, containers, this.guestProcess?.pid)
    guest.session.beginLife()
    const open = containers.add(program.options)
    const request: ExecRequest = {
      cid: open.cid,
      ...(program.source === undefined ? {} : { source: program.source }),
      ...(program.graph === undefined ? {} : { graph: program.graph }),
      options: program.options,
      functions: [...globals.functions.keys()],
      values: globals.values,
    }
    await guest.load(open, request, program)
    return open.container as Container<Api>
  }

  /**
   * Gives a container's runtime new options.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_TIMEOUT, ERR_CONFINE_ABORTED
   */
  async configContainer(container: { cid: number; opts?: any } & CallOptions): Promise<void> {
    const { cid, opts, ...callOptions } = asContainer(container)
    const guest = this.#requireGuest()
    const open = this.#host.containers.require(cid)
    await guest.ask(open, guestMethod.config, [cid, opts], `configuring container ${cid}`, callOptions)
  }

  /**
   * Closes a container. Where the process was made for one container, or does not answer within a second, the process
   * ends with it. An aborted `signal` ends the wait, and the container closes all the same.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_TIMEOUT, ERR_CONFINE_ABORTED
   */
  async killContainer(container: ConfineContainer, options: Abortable = {}): Promise<void> {
    const { cid } = asContainer(container)
    const checked = signalOf(options)
    const guest = this.#requireGuest()
    this.#host.containers.require(cid)
    await untilAborted(this.#kill(guest, cid), checked)
  }

  /**
   * Calls an exported function of a container.
   * @param methodName Its name, dotted for nested ones: `math.add`.
   * @param options A call that takes longer than `timeoutMs` ends its container, and the process where the runtime cannot
   *   end one container for sure. Aborting `signal` ends the wait, and aborts the host's functions that the guest called within it.
   * @returns What the function returned, as data: nothing of it runs here.
   * @throws ERR_CONFINE_CONTAINER_NOT_FOUND, ERR_CONFINE_METHOD_NOT_FOUND, ERR_CONFINE_GUEST_THREW, ERR_CONFINE_VALUE,
   *   ERR_CONFINE_TIMEOUT, ERR_CONFINE_ABORTED, ERR_CONFINE_CONTAINER_CLOSED, ERR_CONFINE_GUEST_ENDED, …
   */
  handleAPICall(cid: number, methodName: string, params: any[] = [], options: CallOptions = {}): Promise<any> {
    try {
      const guest = this.#requireGuest()
      const open = this.#host.containers.require(cid)
      checkCall(methodName, params, cid)
      if (!isObserved('call')) return guest.call(open, methodName, params, options)
      const context = () => ({ sandbox: this, cid, method: methodName })
      return observed('call', context, async () => await guest.call(open, methodName, params, options))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** What containers ask for, of this object and its subclasses. */
  #containerHost(): ContainerHost {
    return {
      call: (cid, name, params, options) => this.handleAPICall(cid, name, params, options),
      close: (cid, options) => this.killContainer({ cid }, options),
      describe: async (cid, options) => await this.#requireGuest().describe(this.#host.containers.require(cid), options),
      usage: async (cid, options) => await this.#requireGuest().usage(this.#host.containers.require(cid), signalOf(options)),
    }
  }

  async #launch(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const { transport, spawner } = this.opts
    const link = transport === 'inherited' ? undefined : await this.#link(transport)
    const placing = link === undefined ? placeOfSpawner(spawner) : undefined
    using place = placing && (await placing)
    if (this.#failure !== undefined) throw this.#failure
    const session = this.#startSession({ link, place })
    this.#guest = new GuestContainers({
      options: this.opts,
      session,
      table: this.#host.containers,
      ending: (why, cause) => {
        this.#failure ??= new ConfineError('ERR_CONFINE_GUEST_ENDED', `The guest process was ended: ${why}. Make a new Sandbox`, { cause })
        return this.#failure
      },
    })
    this.guestProcess = session.process.child
    this.ipc = session.peer
    try {
      await session.ready
    } catch (error) {
      throw this.#failure ?? error
    }
    followConsoleListeners(this, (isHeard) => session.peer.notify(0, guestNotice.console, [isHeard]))
  }

  async #link(transport: 'unix' | 'tcp'): Promise<SocketLink> {
    try {
      const link = await connectTransport(transport, this)
      if (this.#failure === undefined) return link
      dropLink(link)
      throw this.#failure
    } catch (error) {
      this.#closed(126)
      throw error
    }
  }

  #startSession(way: LaunchWay): GuestSession {
    try {
      return new GuestSession(this.opts, this.#host, way)
    } catch (error) {
      dropLink(way.link)
      // There is no process, and there will be none.
      this.#closed(126)
      throw error
    }
  }

  async #kill(guest: GuestContainers, cid: number): Promise<void> {
    const isShared = maxContainersOf(this.opts) > 1
    if (isShared) await guest.close(cid)
    this.#host.containers.close({ cid, exitCode: 0 })
    if (!isShared) await this.teardown()
  }

  #ended(end: GuestEnd, exitCode: number, failure: ConfineError): void {
    this.guestEnd = end
    this.#failure ??= failure
    this.#host.close(end, this.#isTornDown ? undefined : failure)
    this.#closed(exitCode)
  }

  #requireGuest(): GuestContainers {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#guest === undefined) {
      throw new ConfineError('ERR_CONFINE_CONTAINER_NOT_FOUND', 'The sandbox has no container yet: call execContainer first')
    }
    return this.#guest
  }
}
