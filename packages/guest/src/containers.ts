import type { EventEmitter } from 'node:events'
import {
  type ApiDescription,
  ConfineError,
  readApiDescription,
  type Runtime,
  type RuntimeClass,
  type RuntimeOptions,
  type RuntimeUsage,
} from '@confine-sandbox/contract'
import { buildGlobals } from './globals.ts'
import type { ExecRequest } from './protocol.ts'

/** What a table of containers needs from the process that holds it. */
export interface ContainersOptions {
  readonly Runtime: RuntimeClass
  readonly maxContainers: number
  /** Calls a function of the host for a container. */
  callHost(cid: number, name: string, params: unknown[]): Promise<unknown>
  /** A container is about to be made. */
  opened(cid: number): void
  /** A container that was opened is no more, or its source did not load. */
  gone(cid: number): void
  /** A container closed, once its load has settled. */
  closed(cid: number, exitCode: number): void
  /** A container threw where nobody waited for it, and goes on. */
  failed(cid: number, thrown: unknown): void
  /** A container logged something, while that was asked for. */
  logged(cid: number, level: string, args: readonly unknown[]): void
}

interface Entry {
  readonly runtime: Runtime
  readonly loaded: Promise<void>
  readonly logged: (level: string, args: readonly unknown[]) => void
}

/** The containers of this guest process. */
export class Containers {
  readonly #options: ContainersOptions
  readonly #entries = new Map<number, Entry>()
  #isCapturingConsole = false

  constructor(options: ContainersOptions) {
    this.#options = options
  }

  /**
   * Makes a container and loads its source; what loading throws is thrown here.
   * @throws ERR_CONFINE_CONTAINER_LIMIT
   */
  async exec(request: ExecRequest): Promise<void> {
    const { Runtime, maxContainers } = this.#options
    if (this.#entries.size >= maxContainers) {
      throw new ConfineError('ERR_CONFINE_CONTAINER_LIMIT', `This guest process takes ${maxContainers} containers at once`)
    }
    const { cid } = request
    this.#options.opened(cid)
    try {
      await this.#open(new Runtime(this.#runtimeOptions(request)), cid)
    } catch (error) {
      this.#options.gone(cid)
      throw error
    }
  }

  #runtimeOptions(request: ExecRequest): RuntimeOptions {
    return {
      ...request.options,
      source: sourceOf(request),
      ...(request.graph === undefined ? {} : { graph: request.graph }),
      globals: buildGlobals([...request.values, ...this.#functions(request)]),
    }
  }

  async #open(runtime: Runtime, cid: number): Promise<void> {
    const logged = (level: string, args: readonly unknown[]) => this.#options.logged(cid, level, args)
    if (this.#isCapturingConsole) emitter(runtime).on('console', logged)
    const entry: Entry = { runtime, loaded: load(runtime), logged }
    this.#entries.set(cid, entry)
    let isClosed = false
    runtime.on('closed', (code) => {
      if (isClosed) return
      isClosed = true
      const close = () => {
        this.#entries.delete(cid)
        this.#options.gone(cid)
        this.#options.closed(cid, Number.isInteger(code) ? (code as number) : 0)
      }
      // The answer to exec leaves first.
      entry.loaded.then(close, close)
    })
    emitter(runtime).on('runtime-error', (error: unknown) => this.#options.failed(cid, error))
    try {
      await entry.loaded
    } catch (error) {
      // A program that ends itself while it loads may leave a broken load behind: its end is the news.
      if (isClosed) return
      // It never was open, so it does not close either.
      isClosed = true
      this.#entries.delete(cid)
      await discard(runtime)
      throw error
    }
  }

  /** Begins or ends to tell what programs log. */
  captureConsole(isOn: boolean): void {
    if (this.#isCapturingConsole === isOn) return
    this.#isCapturingConsole = isOn
    for (const { runtime, logged } of this.#entries.values()) emitter(runtime)[isOn ? 'on' : 'off']('console', logged)
  }

  /** Calls an exported function. */
  call(cid: number, method: string, params: unknown[]): Promise<unknown> {
    return this.#get(cid).runtime.handleAPICall(method, params)
  }

  /** Calls a function that a program gave to the host. */
  async invoke(cid: number, callback: Function, params: unknown[]): Promise<unknown> {
    const { runtime } = this.#get(cid)
    return await (runtime.invoke === undefined ? Reflect.apply(callback, undefined, params) : runtime.invoke(callback, params))
  }

  async config(cid: number, opts: unknown): Promise<void> {
    // Runtimes made for abstract-confine-runtime 0.3 have none.
    await this.#get(cid).runtime.configure?.(opts)
  }

  /** What it exports, as plain data. */
  describe(cid: number): ApiDescription {
    return readApiDescription(this.#get(cid).runtime.describeAPI())
  }

  async usage(cid: number): Promise<RuntimeUsage> {
    return (await this.#get(cid).runtime.usage?.()) ?? {}
  }

  /** Ends a program as Node ends one that has nothing left to do. Runtimes that know no such end just close it. */
  async finish(cid: number): Promise<void> {
    const runtime = this.#get(cid).runtime as Runtime & { finish?(): Promise<void> | void }
    await (runtime.finish ?? runtime.close).call(runtime)
  }

  async kill(cid: number): Promise<void> {
    const { runtime } = this.#get(cid)
    this.#entries.delete(cid)
    await runtime.close()
    this.#options.gone(cid)
  }

  #get(cid: number): Entry {
    const entry = this.#entries.get(cid)
    if (entry === undefined) throw new ConfineError('ERR_CONFINE_CONTAINER_NOT_FOUND', `There is no container ${cid}`)
    return entry
  }

  *#functions({ cid, functions }: ExecRequest): Iterable<readonly [string, unknown]> {
    for (const name of functions) {
      yield [name, (...params: unknown[]) => this.#options.callHost(cid, name, params)]
    }
  }
}

/** npm's runtimes call source.toString('utf-8'): a string and a Buffer understand that, a Uint8Array does not. */
function sourceOf({ source, graph }: ExecRequest): string | Buffer {
  if (source === undefined) return graph?.modules.get(graph.entry)?.text ?? ''
  return typeof source === 'string' ? source : Buffer.from(source)
}

/** With the events of our runtimes, beyond abstract-confine-runtime. */
function emitter(runtime: Runtime): EventEmitter {
  return runtime as unknown as EventEmitter
}

async function load(runtime: Runtime): Promise<void> {
  await runtime.init()
  await runtime.run()
}

/** Closes what did not load; that it cannot be closed either is no further news. */
async function discard(runtime: Runtime): Promise<void> {
  try {
    await runtime.close()
  } catch {}
}
