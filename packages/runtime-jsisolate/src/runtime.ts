import {
  APIDescription,
  type ApiChild,
  AbstractConfineRuntime,
  type ApiDescription,
  ConfineError,
  type GuestFacts,
  MethodNotFound,
  type RuntimeUsage,
} from '@confine-sandbox/contract'
import { Alarm } from './alarm.ts'
import { readLogged } from './captured-console.ts'
import { copiedError } from './guest-error.ts'
import { GuestIsolate } from './guest-isolate.ts'
import { HostAnswers } from './host-answers.ts'
import { hostGlobals } from './host-globals.ts'
import { describeError } from './import-error.ts'
import { readDescription } from './inside-word.ts'
import type { IsolateEnd, IsolateOwner } from './outside.ts'
import { OutsideReferences } from './references.ts'
import { Operations } from './operations.ts'
import { archive } from './node-shims.ts'
import { ProgramImports } from './program-imports.ts'
import { ProgramSources } from './program-sources.ts'
import { systemCall } from './system-calls.ts'
import { NewIsolates } from './new-isolates.ts'
import { defaultMemoryLimitMiB, type JsIsolateOptions, type Program, readProgram } from './options.ts'
import { train } from './training.ts'

/**
 * Runs a program in a V8 isolate of its own, with nothing of this process in it. One isolate alone is not a strong
 * boundary, as a fault of V8 crosses it: in a sandbox, the operating system confines the process as well.
 */
export class JsIsolateConfineRuntime extends AbstractConfineRuntime {
  /**
   * Does what has to be done before the process is locked. From then on no module is read from a file.
   * @param guest what is known of the process; an isolate that is alone in it is entered on its thread.
   */
  static async prepare(guest?: GuestFacts): Promise<void> {
    ofProcess.canReadFiles = false
    ofProcess.isForOne = guest?.maxContainers === 1
    if (guest?.learned !== undefined) isolates.know(guest.learned)
    archive.load()
    // The C library reads the time zone once for all isolates.
    new Date().getTimezoneOffset()
  }

  /** Makes the first isolate. */
  static makeAhead(): void {
    isolates.prepare(defaultMemoryLimitMiB)
  }

  /** What V8 has compiled of the prelude. */
  static learned(): Uint8Array {
    if (!isolates.isTrained) train(isolates)
    return isolates.code
  }

  declare opts: JsIsolateOptions
  #program: Program | undefined
  #sources: ProgramSources | undefined
  #loading: number | undefined
  #guest: GuestIsolate | undefined
  #references: OutsideReferences | undefined
  #operations: Operations | undefined
  #starting: Promise<void> | undefined
  #running: Promise<void> | undefined
  #description: ApiChild[] = []
  #wasCalled = false
  readonly #alarm = new Alarm(() => this.#guest?.tick())
  #end: End | undefined
  readonly #imports = new ProgramImports()

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
    const answer = this.#operations!.beginWith(methodName, params, (id, packed) => guest.call(id, methodName, packed))
    if (!this.#wasCalled) {
      this.#wasCalled = true
      answer.then(makeNext, makeNext)
    }
    return answer
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
    this.#sources = new ProgramSources(program, ofProcess.canReadFiles, (specifier) =>
      this.#operations!.begin(specifier, (id) => this.#guest!.names(id, specifier)),
    )
    const { shape, functions } = hostGlobals(program.globals)
    this.#program = program
    this.#references = new OutsideReferences({
      functions,
      invoke: (id, params) => this.#invoke(id, params),
      pull: (id, how) => this.#pull(id, how),
      forget: (id) => this.#guest?.forget(id),
    })
    this.#operations = new Operations(this.#references)
    // One more will not be the last one.
    if (++ofProcess.made === 2 && !isolates.isTrained) train(isolates)
    this.#guest = new GuestIsolate(
      isolates.take(program.memoryLimitMiB),
      { path: program.path, env: program.env, globals: shape },
      this.#owner(this.#references, this.#operations, this.#sources),
      ofProcess.isForOne,
    )
    if (this.listenerCount('console') > 0) this.#guest.capture(true)
  }

  async #load(): Promise<void> {
    const guest = this.#guest!
    const program = this.#program!
    const operations = this.#operations!
    try {
      this.#description = readDescription(
        await operations.begin('the program', (id) => {
          this.#loading = id
          const failed = (error: unknown) => operations.fail(id, this.#sources!.errorOf(error))
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

  #owner(references: OutsideReferences, operations: Operations, sources: ProgramSources): IsolateOwner {
    const answers = new HostAnswers({
      references,
      operations,
      isOpen: () => this.#end === undefined,
      settle: (callId, answer) => this.#guest!.settle(callId, answer),
    })
    return {
      done: (id, outcome, value) => operations.done(id, outcome, value),
      call: (callId, index, args, operationId) => void answers.answer(callId, index, args, operationId),
      release: (index) => references.release(index),
      arm: (delayMs) => this.#alarm.set(delayMs),
      write: (stream, text) => void (stream === 2 ? process.stderr : process.stdout).write(String(text)),
      log: (level, args) => void this.emit('console', ...readLogged(level, args)),
      exit: (code) => this.#finish({ kind: 'exited', code: code & 0xff, how: `the program called process.exit(${code & 0xff})` }),
      load: (specifier, from) => sources.require(String(specifier), String(from)),
      resolve: (specifier, from) => sources.import(specifier, from),
      system: systemCall,
      importModule: (id, specifier, from) => this.#imports.take(this.#guest!, id, specifier, from),
      describe: (error) => describeError(sources.errorOf(error)),
      failed: (error) => this.#background(copiedError(error)),
      ended: (end) => this.#lost(end),
    }
  }

  async #invoke(callback: number, params: unknown[]): Promise<unknown> {
    this.#assertOpen()
    return await this.#operations!.beginWith('a callback', params, (id, packed) => this.#guest!.invoke(id, callback, packed))
  }

  async #pull(stream: number, how: 'next' | 'return'): Promise<unknown> {
    if (how === 'return' && this.#end !== undefined) return undefined
    this.#assertOpen()
    return await this.#operations!.begin('a stream', (id) => this.#guest!.pull(id, stream, how))
  }

  /** A failure in the background: for whoever listens, else for people. */
  #background(error: Error): void {
    if (this.#end !== undefined) return
    // A module that awaits at its top level fails as a rejection that nobody handles.
    if (this.#loading !== undefined && this.#program?.module === 'esm') this.#operations!.fail(this.#loading, error)
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
    this.#alarm.clear()
    this.#guest?.dispose()
    this.#guest = undefined
    this.#references?.close()
    this.#operations?.close(() => this.#closedError())
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

// Of the process, not of one container: once it is locked, it stays so.
const ofProcess = { canReadFiles: true, isForOne: false, made: 0 }
const isolates = new NewIsolates()

/** The time after a first answer is a good one to make the next isolate, where there will be one. */
function makeNext(): void {
  if (ofProcess.made > 1 && !ofProcess.isForOne) setImmediate(() => isolates.prepare(defaultMemoryLimitMiB))
}
