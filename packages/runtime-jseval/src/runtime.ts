import {
  APIDescription,
  AbstractConfineRuntime,
  type ApiDescription,
  ConfineError,
  type GuestFacts,
  MethodNotFound,
  type RuntimeUsage,
} from '@confine-sandbox/contract'
import { describe, findMethod, type Method } from './exported.ts'
import { exitSignal, isExitSignal } from './exit-signal.ts'
import { type FurnishedRealm, furnishedRealm } from './furnished-realm.ts'
import { guestError, isOutside } from './guest-error.ts'
import { defineGlobals } from './guest-globals.ts'
import { neutralOs } from './neutral-os.ts'
import { type JsEvalOptions, type Program, readProgram } from './options.ts'
import { ProgramModules } from './program-modules.ts'
import type { Realm } from './realm.ts'

/**
 * Runs a program in a vm context of this process. The context keeps globals apart and is no security boundary:
 * that is the operating system's, around the process.
 */
export class JsEvalConfineRuntime extends AbstractConfineRuntime {
  /** Does what has to be done before the process is locked. */
  static prepare(guest?: GuestFacts): void {
    // Reads the time zone.
    new Date().getTimezoneOffset()
    hasSuccessors = guest !== undefined && guest.maxContainers > 1
  }

  /** Makes one realm ahead. */
  static makeAhead(): void {
    if (spares.length === 0) spares.push(furnishedRealm())
  }

  declare opts: JsEvalOptions
  #program: Program | undefined
  #realm: FurnishedRealm | undefined
  #module: { readonly exports: unknown } | undefined
  #running: Promise<void> | undefined
  #exitCode: number | undefined
  #hasExited = false
  #hasAnswered = false
  readonly #waiting = new Set<(reason: Error) => void>()

  constructor(options: JsEvalOptions = {}) {
    super({ ...options })
  }

  /**
   * Makes the realm.
   * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_CONTAINER_CLOSED
   */
  override async init(): Promise<void> {
    this.#assertOpen()
    if (this.#realm !== undefined) return
    this.#program = readProgram(this.opts)
    const { path, argv, graph } = this.#program
    const realm = spares.pop() ?? furnishedRealm()
    realm.giveTo({
      path,
      argv,
      hasFile: (name) => name === path || graph?.modules.has(name) === true || !isOutside(name),
      exit: (code) => this.#exit(code),
      logged: (level, args) => this.emit('console', level, args),
    })
    defineGlobals(realm, this.opts.globals ?? {}, (host, args) => {
      this.#assertOpen()
      return Reflect.apply(host, undefined, args)
    })
    this.#realm = realm
  }

  /**
   * Runs the program once; returns when it and its `process.exit()`, if any, are through.
   * @throws what the program throws while it loads, as an Error.
   */
  override async run(): Promise<void> {
    this.#assertOpen()
    if (this.#realm === undefined) await this.init()
    this.#running ??= this.#load(this.#realm!, this.#program!)
    return this.#running
  }

  /**
   * Calls an exported function, and awaits what it returns.
   * @throws MethodNotFound; ERR_CONFINE_CONTAINER_CLOSED; what the function throws, as an Error.
   */
  override handleAPICall(methodName: string, params: unknown[] = []): Promise<unknown> {
    try {
      this.#assertOpen()
      const method = findMethod(this.#module?.exports, methodName)
      if (method !== undefined) return this.#call(method, params)
    } catch (thrown) {
      return Promise.reject(this.#failure(thrown))
    }
    return Promise.reject(new MethodNotFound(`Method not found: ${methodName}`))
  }

  /**
   * Calls a function that the program gave away, and awaits what it returns.
   * @throws ERR_CONFINE_CONTAINER_CLOSED; what the function throws, as an Error.
   */
  override invoke(callback: Function, params: unknown[]): Promise<unknown> {
    try {
      this.#assertOpen()
      return this.#call({ owner: undefined, call: callback as Method['call'] }, params)
    } catch (thrown) {
      return Promise.reject(this.#failure(thrown))
    }
  }

  /** The exported functions, as they are now. */
  override describeAPI(): ApiDescription {
    return new APIDescription(describe(this.#module?.exports))
  }

  /** What the process has used: this runtime cannot tell its program's part. */
  override usage(): RuntimeUsage {
    const { user, system } = process.cpuUsage()
    // Loaded for this alone.
    const { getHeapStatistics } = process.getBuiltinModule('node:v8')
    return { cpuMs: (user + system) / 1000, heapMiB: getHeapStatistics().used_heap_size / 2 ** 20 }
  }

  /** Merges into `opts`. What a program was started with (source, path, globals) does not change any more. */
  override configure(opts: unknown): void {
    if (typeof opts === 'object' && opts !== null) this.opts = { ...this.opts, ...opts }
  }

  /** Ends the container: its timers are cleared, waiting calls reject. Code that runs cannot be stopped from here. */
  override async close(): Promise<void> {
    this.#end(0)
  }

  /** Ends the container as Node ends a program that has nothing left to do: with its exit code, and after its `exit` listeners. */
  async finish(): Promise<void> {
    const process = this.#realm?.global.process as NodeJS.Process | undefined
    try {
      process?.exit()
    } catch {
      // exit() unwinds whoever calls it, and refuses an exitCode that is none: that is a failed program, as in Node.
    }
    this.#end(1)
  }

  async #load(realm: Realm, program: Program): Promise<void> {
    const { global } = realm
    let os: object | undefined
    const replaced = (name: string) => {
      if (name === 'process' || name === 'console') return global[name]
      if (name !== 'os') return undefined
      os ??= neutralOs()
      return os
    }
    try {
      const module = (await this.#orClosed(new ProgramModules(realm, program, replaced).run(), (thrown) => thrown)) as {
        readonly exports: unknown
      }
      if (this.#exitCode === undefined) this.#module = module
    } catch (thrown) {
      if (this.#exitCode === undefined) throw this.#failure(thrown)
    }
  }

  /** @throws what the function throws at once. */
  #call({ call, owner }: Method, params: unknown[]): Promise<unknown> {
    if (!this.#hasAnswered) this.#firstAnswer()
    const { adopt } = this.#realm!.tools
    const adopted: unknown[] = []
    for (let i = 0; i < params.length; i++) adopted.push(adopt(params[i]))
    const result: unknown = Reflect.apply(call, owner, adopted)
    return isThenable(result) ? this.#orClosed(result, (thrown) => this.#failure(thrown)) : Promise.resolve(result)
  }

  /** When it has left, the process has time for the next container's realm. */
  #firstAnswer(): void {
    this.#hasAnswered = true
    if (hasSuccessors) setImmediate(tryAhead)
  }

  #exit(code: number): never {
    if (!this.#hasExited && this.#exitCode === undefined) {
      this.#hasExited = true
      try {
        ;(this.#realm!.global.process as NodeJS.Process).emit('exit', code)
      } catch {
        // As in Node, the process ends all the same.
      }
      this.#end(code)
    }
    throw exitSignal(code)
  }

  #end(code: number): void {
    if (this.#exitCode !== undefined) return
    this.#exitCode = code
    this.#realm?.timers.clear()
    this.#module = undefined
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const reject of waiting) reject(this.#closedError())
    this.emit('closed', code)
  }

  /** Awaits a promise of the program, or the end of the container. @param failed makes the error of what it throws. */
  #orClosed(promise: PromiseLike<unknown>, failed: (thrown: unknown) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const waiting = (reason: Error) => reject(failed(reason))
      this.#waiting.add(waiting)
      Promise.resolve(promise).then(
        (value) => {
          this.#waiting.delete(waiting)
          resolve(value)
        },
        (thrown) => {
          this.#waiting.delete(waiting)
          reject(failed(thrown))
        },
      )
    })
  }

  #failure(thrown: unknown): Error {
    if (this.#exitCode !== undefined || isExitSignal(thrown)) return this.#closedError()
    const { path, graph } = this.#program!
    return guestError(thrown, (name) => name === path || graph?.modules.has(name) === true)
  }

  #closedError(): ConfineError {
    const how = this.#hasExited ? `the program called process.exit(${this.#exitCode})` : 'it was closed'
    return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `The container has ended: ${how}.`)
  }

  #assertOpen(): void {
    if (this.#exitCode !== undefined) throw this.#closedError()
  }
}

export declare namespace JsEvalConfineRuntime {
  /** What the constructor takes. */
  type Options = JsEvalOptions
}

// Of the process: whichever program comes first takes it.
const spares: FurnishedRealm[] = []

/** Whether the process is there for more containers than the first. */
let hasSuccessors = false

/** What cannot be made ahead fails where it is needed. */
function tryAhead(): void {
  try {
    JsEvalConfineRuntime.makeAhead()
  } catch {}
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof Reflect.get(value, 'then') === 'function'
}
