/// <reference path="./webassembly.d.ts" />
import {
  APIDescription,
  APIMethod,
  APIObject,
  AbstractConfineRuntime,
  type ApiDescription,
  ConfineError,
  MethodNotFound,
} from '@confine-sandbox/contract'
import { guestError } from './guest-error.ts'
import { isNumeric, moduleImports } from './imports.ts'
import { limitModule } from './limited-module.ts'
import { memoryMethods } from './memory-access.ts'
import { type Program, readProgram, type WasmOptions } from './options.ts'
import { wasi } from './wasi.ts'

/**
 * Runs a WebAssembly module, or a WASI preview 1 program without files. Inside, it has what it imports and nothing else;
 * in a sandbox, the operating system confines the process as well.
 */
export class WasmConfineRuntime extends AbstractConfineRuntime {
  /** Wakes what the engine does lazily: compiling, and waiting inside a module. */
  static async prepare(): Promise<void> {
    const runtime = new WasmConfineRuntime({ source: warmUpModule, globals: { env: { wait: () => Promise.resolve() } } })
    await runtime.run()
    await runtime.handleAPICall('wait')
    await runtime.close()
  }

  declare opts: WasmOptions
  #program: Program | undefined
  #module: WebAssembly.Module | undefined
  #limited: ReturnType<typeof limitModule> | undefined
  #memory: WebAssembly.Memory | undefined
  #starting: Promise<void> | undefined
  #running: Promise<void> | undefined
  #end: { readonly code: number; readonly how: string; readonly isOwn: boolean } | undefined
  /** By the whole name: what every object inherits is not in a map. */
  readonly #methods = new Map<string, (params: unknown[]) => Promise<unknown>>()
  readonly #memories = new Set<string>()
  readonly #waiting = new Set<(error: Error) => void>()

  constructor(options: WasmOptions = {}) {
    super({ ...options })
  }

  /**
   * Compiles the module, with the limit of memory written into it.
   * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_SOURCE_MISSING, ERR_CONFINE_CONTAINER_CLOSED, what is wrong with the module.
   */
  override async init(): Promise<void> {
    this.#assertOpen()
    this.#starting ??= this.#start()
    return this.#starting
  }

  /**
   * Makes the instance once. A WASI program (`_start`) runs to its end and closes; `_initialize` of a library is awaited.
   * @throws an Error for an import that the host does not give, and for what the module throws.
   */
  override async run(): Promise<void> {
    this.#assertOpen()
    await this.init()
    this.#assertOpen()
    this.#running ??= this.#load()
    return this.#running
  }

  /**
   * Calls an exported function with numbers (bigints for i64), and waits for the host functions that it calls. Reads and
   * writes an exported memory: `memory.read(offset, length)`, `memory.write(offset, bytes)`.
   * @throws MethodNotFound; ERR_CONFINE_CONTAINER_CLOSED; ERR_CONFINE_VALUE for what is no number; ERR_CONFINE_LIMIT
   * when 200 calls wait already; a trap as an Error.
   */
  override async handleAPICall(methodName: string, params: unknown[] = []): Promise<unknown> {
    this.#assertOpen()
    const method = this.#methods.get(methodName)
    if (method === undefined) throw new MethodNotFound(`Method not found: ${methodName}`)
    if (this.#waiting.size >= maxWaiting) {
      throw new ConfineError(
        'ERR_CONFINE_LIMIT',
        `More than ${maxWaiting} calls wait for the host at once: each of them holds a stack of the engine`,
      )
    }
    return this.#orClosed(method(params))
  }

  /** The exported functions and memories. None once it is closed. */
  override describeAPI(): ApiDescription {
    const isMemory = (name: string) =>
      memoryNames.some((method) => name.endsWith(`.${method}`) && this.#memories.has(name.slice(0, -method.length - 1)))
    const functions = [...this.#methods.keys()].filter((name) => !isMemory(name)).map((name) => new APIMethod(name))
    const memories = [...this.#memories].map(
      (name) =>
        new APIObject(
          name,
          memoryNames.map((method) => new APIMethod(method)),
        ),
    )
    return new APIDescription([...functions, ...memories])
  }

  /** Merges into `opts`. What a program was started with does not change any more. */
  override configure(opts: unknown): void {
    if (typeof opts === 'object' && opts !== null) this.opts = { ...this.opts, ...opts }
  }

  /** Ends the container: waiting calls reject. A module that runs cannot be stopped from here, only its process can. */
  override async close(): Promise<void> {
    this.#finish({ code: 0, how: 'it was closed', isOwn: false })
  }

  async #start(): Promise<void> {
    const program = readProgram(this.opts)
    try {
      // Once to know that it is valid: what rewrites it relies on that.
      new WebAssembly.Module(program.bytes)
      this.#limited = limitModule(program.bytes, program.memoryLimitMiB * pagesPerMiB)
      this.#module = new WebAssembly.Module(this.#limited.bytes)
    } catch (error) {
      throw guestError(error)
    }
    this.#program = program
  }

  async #load(): Promise<void> {
    try {
      const exports = this.#instantiate()
      const start = own(exports, '_start')
      const initialize = own(exports, '_initialize')
      if (typeof initialize === 'function') await this.#orClosed(WebAssembly.promising(initialize)())
      if (typeof start === 'function') {
        await this.#orClosed(WebAssembly.promising(start)())
        this.#finish({ code: 0, how: 'the program ended', isOwn: true })
      } else this.#publish(exports)
    } catch (error) {
      if (this.#end === undefined) throw guestError(error)
      // A program that ends itself has not failed.
      if (!this.#end.isOwn) throw this.#closedError()
    }
  }

  #instantiate(): Readonly<Record<string, unknown>> {
    const system = wasi(this.#program!, {
      memory: () => this.#memory,
      exit: (code) => this.#exit(code),
      write: (stream, bytes) => void (stream === 2 ? process.stderr : process.stdout).write(bytes),
    })
    const { imports, memory } = moduleImports(this.#module!, {
      globals: this.#program!.globals,
      wasi: system,
      memories: this.#limited!.memories,
      callHost: async (call) => {
        this.#assertOpen()
        return call()
      },
    })
    this.#memory = memory
    const { exports } = new WebAssembly.Instance(this.#module!, imports)
    const exported = own(exports, 'memory')
    if (exported instanceof WebAssembly.Memory) this.#memory = exported
    return exports
  }

  #publish(exports: Readonly<Record<string, unknown>>): void {
    if (this.#end !== undefined) return
    for (const [name, value] of Object.entries(exports)) {
      if (value instanceof WebAssembly.Memory) {
        const methods = memoryMethods(value)
        this.#memories.add(name)
        for (const method of memoryNames) this.#methods.set(`${name}.${method}`, async (params) => methods[method](...params))
      } else if (typeof value === 'function' && name !== '_initialize') this.#methods.set(name, method(name, value))
    }
  }

  #exit(code: number): never {
    this.#finish({ code, how: `the program called proc_exit(${code})`, isOwn: true })
    throw this.#closedError()
  }

  /** Awaits what a module does, or the end of the container. */
  #orClosed(promise: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      promise
        .then(
          (value) => (this.#end === undefined ? resolve(value) : reject(this.#closedError())),
          (error) => reject(this.#end === undefined ? error : this.#closedError()),
        )
        .finally(() => this.#waiting.delete(reject))
    })
  }

  #finish(end: { code: number; how: string; isOwn: boolean }): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#methods.clear()
    this.#memories.clear()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const reject of waiting) reject(this.#closedError())
    this.emit('closed', end.code)
  }

  #closedError(): ConfineError {
    return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `The container has ended: ${this.#end!.how}.`)
  }

  #assertOpen(): void {
    if (this.#end !== undefined) throw this.#closedError()
  }
}

export declare namespace WasmConfineRuntime {
  /** What the constructor takes. */
  type Options = WasmOptions
}

const pagesPerMiB = 16
/** A stack takes a MiB, of a process that has 512 by default. */
const maxWaiting = 200
const memoryNames = ['read', 'write'] as const

/** `(module (import "env" "wait" (func $wait)) (func (export "wait") (call $wait)))` */
const warmUpModule = 'AGFzbQEAAAABBAFgAAACDAEDZW52BHdhaXQAAAMCAQAHCAEEd2FpdAABCgYBBAAQAAs='

function method(name: string, call: Function): (params: unknown[]) => Promise<unknown> {
  const promising = WebAssembly.promising(call)
  return async (params) => {
    if (!params.every(isNumeric)) throw new ConfineError('ERR_CONFINE_VALUE', `${name} takes numbers, and bigints where its type is i64`)
    let result: unknown
    try {
      result = await promising(...params)
    } catch (error) {
      throw guestError(error)
    }
    const isData = result === undefined || isNumeric(result) || (Array.isArray(result) && result.every(isNumeric))
    if (!isData) throw new ConfineError('ERR_CONFINE_VALUE', `The result of ${name} cannot be copied: it is a reference of the module`)
    return result
  }
}

function own(exports: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(exports, name) ? exports[name] : undefined
}
