import {
  APIDescription,
  type ApiChild,
  AbstractConfineRuntime,
  type ApiDescription,
  ConfineError,
  MethodNotFound,
  type RuntimeUsage,
} from '@confine-sandbox/contract'
import { readLogged } from './captured-console.ts'
import { compileError, copiedError, guestError } from './guest-error.ts'
import type { HostAnswer } from './inside/host-calls.ts'
import { GuestIsolate, type IsolateEnd, type IsolateOwner } from './guest-isolate.ts'
import { hostGlobals, told } from './host-globals.ts'
import type { Packed } from './inside/pack.ts'
import type { Outcome } from './inside/prelude.ts'
import { describeError, ImportError } from './import-error.ts'
import { readDescription, readNames, readThrown } from './inside-word.ts'
import { commonJsModule, type ModuleSource } from './linked-modules.ts'
import { OutsideReferences } from './references.ts'
import { contextNow, noContext, type Operation } from './operation.ts'
import { archive } from './node-shims.ts'
import { ProgramImports } from './program-imports.ts'
import { programModules, type ProgramModules } from './program-modules.ts'
import { systemCall } from './system-calls.ts'
import { type JsIsolateOptions, type Program, readProgram } from './options.ts'

/**
 * Runs a program in a V8 isolate of its own, with nothing of this process in it. One isolate alone is not a strong
 * boundary, as a fault of V8 crosses it: in a sandbox, the operating system confines the process as well.
 */
export class JsIsolateConfineRuntime extends AbstractConfineRuntime {
  /** Does what has to be done before the process is locked. From then on no module is read from a file. */
  static async prepare(): Promise<void> {
    canRead.files = false
    archive.load()
    // The first isolate starts the thread pool, and the first call wakes what was never used.
    // The time zone and the locale are read when they are first asked for.
    const runtime = new JsIsolateConfineRuntime({ source: 'new Intl.DateTimeFormat().format(); String(new Date())', memoryLimitMiB: 8 })
    await runtime.run()
    await runtime.close()
  }

  declare opts: JsIsolateOptions
  #program: Program | undefined
  #modules: ProgramModules | undefined
  #loading: number | undefined
  #guest: GuestIsolate | undefined
  #references: OutsideReferences | undefined
  #starting: Promise<void> | undefined
  #running: Promise<void> | undefined
  #description: ApiChild[] = []
  #timer: NodeJS.Timeout | undefined
  #end: End | undefined
  #lastOperation = 0
  #answering = 0
  readonly #imports = new ProgramImports()
  readonly #operations = new Map<number, Operation>()

  constructor(options: JsIsolateOptions = {}) {
    super({ ...options })
    // Told before a listener is added, and after one was removed.
    this.on('newListener', (event) => event === 'console' && this.#guest?.capture(true))
    this.on('removeListener', (event) => event === 'console' && this.#guest?.capture(this.listenerCount('console') > 0))
  }

  /**
   * Makes the isolate.
   * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_CONTAINER_CLOSED
   */
  override async init(): Promise<void> {
    this.#assertOpen()
    this.#starting ??= this.#start()
    return this.#starting
  }

  /**
   * Runs the program once; returns when it, and what it awaits at its top level, is through.
   * @throws what the program throws while it loads, as an Error.
   */
  override async run(): Promise<void> {
    this.#assertOpen()
    await this.init()
    this.#assertOpen()
    this.#running ??= this.#load()
    return this.#running
  }

  /**
   * Calls an exported function, and awaits what it returns.
   * @throws MethodNotFound; ERR_CONFINE_CONTAINER_CLOSED; ERR_CONFINE_VALUE when parameters or result cannot be copied;
   * what the function throws, as an Error.
   */
  override async handleAPICall(methodName: string, params: unknown[] = []): Promise<unknown> {
    this.#assertOpen()
    const guest = this.#guest
    if (guest === undefined) throw new MethodNotFound(`Method not found: ${methodName}`)
    return this.#operateWith(methodName, params, (id, packed) => guest.call(id, methodName, packed))
  }

  /** The exported functions, as they were when `run()` returned. None once it is closed. */
  override describeAPI(): ApiDescription {
    return new APIDescription(this.#end === undefined ? this.#description : [])
  }

  /** What its isolate has used; of the memory only when nothing runs in it. */
  override async usage(): Promise<RuntimeUsage> {
    this.#assertOpen()
    return (await this.#guest?.usage()) ?? {}
  }

  /** Merges into `opts`. What a program was started with (source, path, globals, limits) does not change any more. */
  override configure(opts: unknown): void {
    if (typeof opts === 'object' && opts !== null) this.opts = { ...this.opts, ...opts }
  }

  /** Ends the container: its isolate is disposed, also while it runs; waiting calls reject. Returns when nothing of it runs any more. */
  override async close(): Promise<void> {
    const guest = this.#guest
    this.#finish({ kind: 'closed', code: 0, how: 'it was closed' })
    await guest?.stopped()
  }

  async #start(): Promise<void> {
    const program = readProgram(this.opts)
    this.#modules = programModules(program, canRead.files)
    const { shape, functions } = hostGlobals(program.globals)
    this.#program = program
    this.#references = new OutsideReferences({
      functions,
      invoke: (id, params) => this.#invoke(id, params),
      pull: (id, how) => this.#pull(id, how),
      forget: (id) => this.#guest?.forget(id),
    })
    this.#guest = new GuestIsolate(program.memoryLimitMiB, { path: program.path, env: program.env, globals: shape }, this.#owner())
    if (this.listenerCount('console') > 0) this.#guest.capture(true)
  }

  async #load(): Promise<void> {
    const guest = this.#guest!
    const program = this.#program!
    try {
      this.#description = readDescription(
        await this.#operate('the program', (id) => {
          this.#loading = id
          const failed = (error: unknown) => this.#fail(id, this.#loadError(error))
          if (program.module === 'esm') guest.runModule(id, program.main(), failed)
          else guest.runCommonJs(id, program.main(), failed)
        }),
      )
      this.#loading = undefined
    } catch (error) {
      // A program that ends itself has not failed.
      if (this.#end?.kind !== 'exited') throw error
    }
  }

  async #resolve(specifier: string, from: string): Promise<ModuleSource> {
    const found = this.#modules!.import(specifier, from)
    if (found.kind === 'error') throw new ImportError(found)
    if (found.kind === 'commonjs') return { path: `confine:commonjs ${found.path}`, text: commonJsModule(found.path, found.exports) }
    if (found.kind === 'json') return { path: found.path, text: `export default JSON.parse(${JSON.stringify(found.text)})` }
    if (found.kind === 'text' && !found.path.startsWith('node:')) return found
    const names = readNames(await this.#operate(specifier, (id) => this.#guest!.names(id, specifier)))
    return { path: `node:${specifier.replace(/^node:/, '')}`, text: commonJsModule(specifier, names) }
  }

  #loadError(error: unknown): Error {
    return error instanceof ImportError ? error : compileError(error, (path) => this.#textOf(path))
  }

  #textOf(path: string): string {
    const { text, path: main, graph } = this.#program!
    return path === main ? text : (graph?.modules.get(path)?.text ?? '')
  }

  #owner(): IsolateOwner {
    return {
      done: (id, outcome, value) => this.#done(id, outcome, value),
      call: (callId, index, args, operationId) => void this.#answer(callId, index, args, operationId),
      release: (index) => this.#references!.release(index),
      arm: (delayMs) => {
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => this.#guest?.tick(), delayMs)
      },
      write: (stream, text) => void (stream === 2 ? process.stderr : process.stdout).write(String(text)),
      log: (level, args) => void this.emit('console', ...readLogged(level, args)),
      exit: (code) => this.#finish({ kind: 'exited', code: code & 0xff, how: `the program called process.exit(${code & 0xff})` }),
      load: (specifier, from) => this.#modules!.require(String(specifier), String(from)),
      resolve: (specifier, from) => this.#resolve(specifier, from),
      system: systemCall,
      importModule: (id, specifier, from) => this.#imports.take(this.#guest!, id, specifier, from),
      describe: (error) => describeError(this.#loadError(error)),
      failed: (error) => this.#background(copiedError(error)),
      ended: (end) => this.#lost(end),
    }
  }

  async #answer(callId: number, index: number, packed: unknown, operationId: unknown): Promise<void> {
    // The prelude waits for fewer, so this is no call of the prelude's.
    if (this.#answering >= maxAnswering) return
    this.#answering++
    const within = this.#operations.get(operationId as number)?.within ?? noContext
    const references = this.#references!
    let answer: HostAnswer
    let given: Packed | undefined
    try {
      const host = references.find(index)
      const args = references.unpack(packed)
      if (host === undefined || !Array.isArray(args)) throw new TypeError('There is no such function')
      const value = await within(host, ...args)
      if (this.#end === undefined) given = references.pack(value, 'result')
      answer = { value: given }
    } catch (thrown) {
      answer = { error: told(thrown) }
    }
    this.#answering--
    if (this.#end !== undefined) return
    try {
      this.#guest!.settle(callId, answer)
    } catch (error) {
      if (given !== undefined) references.undo(given)
      this.#guest!.settle(callId, {
        error: told(uncopyable('The result cannot be copied into the isolate', messageOf(error))),
      })
    }
  }

  async #invoke(callback: number, params: unknown[]): Promise<unknown> {
    this.#assertOpen()
    return await this.#operateWith('a callback', params, (id, packed) => this.#guest!.invoke(id, callback, packed))
  }

  async #pull(stream: number, how: 'next' | 'return'): Promise<unknown> {
    if (how === 'return' && this.#end !== undefined) return undefined
    this.#assertOpen()
    return await this.#operate('a stream', (id) => this.#guest!.pull(id, stream, how))
  }

  /** An operation with parameters. @throws ERR_CONFINE_VALUE */
  #operateWith(name: string, params: unknown[], start: (id: number, packed: Packed) => void): Promise<unknown> {
    return this.#operate(name, (id) => {
      let packed: Packed | undefined
      try {
        packed = this.#references!.pack(params, 'params')
        start(id, packed)
      } catch (error) {
        if (packed !== undefined) this.#references!.undo(packed)
        if (ConfineError.is(error)) throw error
        const why = this.#references!.whyNot(params, 'params') ?? messageOf(error)
        throw uncopyable(`The parameters of ${name} cannot be copied into the isolate`, why)
      }
    })
  }

  #operate(name: string, start: (id: number) => void): Promise<unknown> {
    const id = ++this.#lastOperation
    return new Promise((resolve, reject) => {
      this.#operations.set(id, { resolve, reject, name, within: contextNow() })
      try {
        start(id)
      } catch (error) {
        this.#operations.delete(id)
        throw error
      }
    })
  }

  #done(id: number, outcome: Outcome, value: unknown): void {
    const operation = this.#operations.get(id)
    if (operation === undefined) return
    this.#operations.delete(id)
    if (outcome === 'value') operation.resolve(this.#unpacked(value, operation.name))
    else if (outcome === 'missing') operation.reject(new MethodNotFound(`Method not found: ${operation.name}`))
    else if (outcome === 'thrown') operation.reject(guestError(readThrown(value)))
    else operation.reject(uncopyable(`The result of ${operation.name} cannot be copied out of the isolate`, String(value)))
  }

  /** A rejected promise for what is malformed. */
  #unpacked(value: unknown, name: string): unknown {
    try {
      return this.#references!.unpack(value)
    } catch (error) {
      return Promise.reject(new ConfineError('ERR_CONFINE_VALUE', `The result of ${name} cannot be copied: ${messageOf(error)}`))
    }
  }

  #fail(id: number, error: Error): void {
    const operation = this.#operations.get(id)
    this.#operations.delete(id)
    operation?.reject(error)
  }

  /** A failure in the background: for whoever listens, else for people. */
  #background(error: Error): void {
    if (this.#end !== undefined) return
    // A module that awaits at its top level fails as a rejection that nobody handles.
    if (this.#loading !== undefined && this.#program?.module === 'esm') this.#fail(this.#loading, error)
    else if (this.#imports.fail(this.#guest, error)) return
    else if (!this.emit('runtime-error', error)) process.stderr.write(`Uncaught ${error.stack ?? error.message}\n`)
  }

  #lost(end: IsolateEnd): void {
    // As Node does when it is out of memory: 128 + SIGABRT.
    if (end === 'memory')
      this.#finish({ kind: 'lost', code: 134, how: `it reached its memory limit of ${this.#program!.memoryLimitMiB} MiB` })
    else this.#finish({ kind: 'lost', code: 1, how: 'its isolate was disposed' })
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return
    this.#end = end
    clearTimeout(this.#timer)
    this.#guest?.dispose()
    this.#guest = undefined
    this.#references?.close()
    const waiting = [...this.#operations.values()]
    this.#operations.clear()
    for (const { reject } of waiting) reject(this.#closedError())
    this.emit('closed', end.code)
  }

  #closedError(): ConfineError {
    return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `The container has ended: ${this.#end!.how}.`)
  }

  #assertOpen(): void {
    if (this.#end !== undefined) throw this.#closedError()
  }
}

export declare namespace JsIsolateConfineRuntime {
  /** What the constructor takes. */
  type Options = JsIsolateOptions
}

/** How a container ended. */
interface End {
  readonly kind: 'exited' | 'closed' | 'lost'
  readonly code: number
  readonly how: string
}

const maxAnswering = 20_000

// Of the process, not of one container: once it is locked, it stays so.
const canRead = { files: true }

/** Says it in the words of the call channel where the reason has a place, and in the reason's own otherwise. */
function uncopyable(what: string, why: string): ConfineError {
  return new ConfineError('ERR_CONFINE_VALUE', why.endsWith('cannot cross between host and guest') ? why : `${what}: ${why}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
