import {
  APIDescription,
  APIMethod,
  APIObject,
  type ApiChild,
  AbstractConfineRuntime,
  type ApiDescription,
  ConfineError,
  consoleLevels,
  MethodNotFound,
} from '@confine-sandbox/contract'
import { compiled, createEngine } from './engine.ts'
import { type EngineEnd, GuestEngine } from './guest-engine.ts'
import { guestError } from './guest-error.ts'
import { callHost, type HostFunction, hostGlobals } from './host-globals.ts'
import { codec } from './inside/codec.ts'
import type { Outcome } from './inside/prelude.ts'
import { type Program, type QuickJsOptions, readProgram } from './options.ts'

/**
 * Runs a program in QuickJS, an interpreter that itself runs in WebAssembly: nothing of this process is in it, and text
 * is all that crosses. In a sandbox, the operating system confines the process as well.
 */
export class QuickJsConfineRuntime extends AbstractConfineRuntime {
  /** Reads and compiles the engine, which cannot be done once the process is locked, and starts one to wake what is lazy. */
  static async prepare(): Promise<void> {
    compiled()
    await createEngine(1)
  }

  declare opts: QuickJsOptions
  #program: Program | undefined
  #engine: GuestEngine | undefined
  #starting: Promise<void> | undefined
  #running: Promise<void> | undefined
  #description: ApiChild[] = []
  #end: { readonly code: number; readonly how: string } | undefined
  #lastOperation = 0
  readonly #operations = new Map<number, { resolve(value: unknown): void; reject(error: Error): void; name: string }>()
  readonly #codec = codec()

  constructor(options: QuickJsOptions = {}) {
    super({ ...options })
  }

  /**
   * Makes the engine.
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
   * @throws MethodNotFound; ERR_CONFINE_CONTAINER_CLOSED, also when the program took more than its time; ERR_CONFINE_VALUE
   * when parameters or result cannot be copied; what the function throws, as an Error.
   */
  override async handleAPICall(methodName: string, params: unknown[] = []): Promise<unknown> {
    this.#assertOpen()
    if (this.#engine === undefined) throw new MethodNotFound(`Method not found: ${methodName}`)
    let word: string
    try {
      word = this.#codec.encode([methodName, params])
    } catch (error) {
      throw new ConfineError('ERR_CONFINE_VALUE', `The parameters of ${methodName} cannot be copied into the engine: ${messageOf(error)}`)
    }
    return this.#operate(methodName, (id) => this.#engine!.call(id, word))
  }

  /** The exported functions, as they were when `run()` returned. None once it is closed. */
  override describeAPI(): ApiDescription {
    return new APIDescription(this.#end === undefined ? this.#description : [])
  }

  /** Merges into `opts`. What a program was started with (source, path, globals, limits) does not change any more. */
  override configure(opts: unknown): void {
    if (typeof opts === 'object' && opts !== null) this.opts = { ...this.opts, ...opts }
  }

  /** Ends the container: nothing enters the engine any more; waiting calls reject. */
  override async close(): Promise<void> {
    this.#finish({ code: 0, how: 'it was closed' })
  }

  async #start(): Promise<void> {
    const program = readProgram(this.opts)
    const { entries, functions } = hostGlobals(program.globals)
    const engine = await GuestEngine.create(program, entries, {
      done: (id, outcome, word) => this.#done(id, outcome, word),
      call: (callId, index, params) => void this.#answer(callId, functions[index], params),
      log: (word) => this.#log(word),
      failed: (word) => this.#failed(word),
      ended: (end) => this.#lost(end),
    })
    if (this.#end !== undefined) return
    this.#program = program
    this.#engine = engine
  }

  async #load(): Promise<void> {
    const program = this.#program!
    const text = program.main()
    const description = await this.#operate('the program', (id) => this.#engine!.load(id, text, program))
    this.#description = childrenOf(description)
  }

  async #answer(callId: number, host: HostFunction | undefined, params: string): Promise<void> {
    // Not at once: the engine is running, and the host may call back.
    await Promise.resolve()
    if (this.#end !== undefined) return
    const { hasFailed, word } = await callHost(host, params)
    this.#engine?.settle(callId, hasFailed, word)
  }

  /** Tells of what a timer threw. The program goes on. */
  #failed(word: string): void {
    let facts: unknown
    try {
      facts = this.#codec.decode(word)
    } catch {
      return // No word of the prelude's.
    }
    this.emit('runtime-error', this.#guestError(facts))
  }

  /** Tells what is logged to whoever listens to the event 'console', and writes it. */
  #log(word: string): void {
    let line: unknown
    try {
      line = this.#codec.decode(word)
    } catch {
      return // No word of the prelude's.
    }
    const [level, text] = Array.isArray(line) ? (line as unknown[]) : []
    if (!consoleLevels.some((known) => known === level) || typeof text !== 'string') return
    this.emit('console', level, [text])
    ;(toStderr.has(level) ? process.stderr : process.stdout).write(`${text}\n`)
  }

  #operate(name: string, start: (id: number) => void): Promise<unknown> {
    const id = ++this.#lastOperation
    return new Promise((resolve, reject) => {
      this.#operations.set(id, { resolve, reject, name })
      start(id)
    })
  }

  #done(id: number, outcome: Outcome, word: string): void {
    const operation = this.#operations.get(id)
    if (operation === undefined) return
    this.#operations.delete(id)
    const { name, resolve, reject } = operation
    if (outcome === 'missing') return reject(new MethodNotFound(`Method not found: ${name}`))
    if (outcome === 'uncopyable') {
      return reject(new ConfineError('ERR_CONFINE_VALUE', `The result of ${name} cannot be copied out of the engine: ${word}`))
    }
    let value: unknown
    try {
      value = this.#codec.decode(word)
    } catch {
      return reject(new ConfineError('ERR_CONFINE_VALUE', `The result of ${name} cannot be read.`))
    }
    if (outcome === 'thrown') reject(this.#guestError(value))
    else resolve(value)
  }

  #guestError(facts: unknown): Error {
    return guestError(facts, (path) => this.#engine?.fileAt(path))
  }

  #lost(end: EngineEnd): void {
    // As shells say of SIGXCPU and SIGABRT.
    if (end === 'time') this.#finish({ code: 152, how: `it computed for more than ${this.#program?.computeLimitMs} ms without waiting` })
    else this.#finish({ code: 134, how: 'its engine broke' })
  }

  #finish(end: { code: number; how: string }): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#engine?.end()
    this.#engine = undefined
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

export declare namespace QuickJsConfineRuntime {
  /** What the constructor takes. */
  type Options = QuickJsOptions
}

const toStderr = new Set<unknown>(['error', 'trace', 'warn'])

/** What the program said that it exports: its word, so of any shape. */
function childrenOf(described: unknown, budget = { left: maxDescribed }, depth = 0): ApiChild[] {
  if (!Array.isArray(described) || depth > 16) return []
  const children: ApiChild[] = []
  // As long as it says, and in circles.
  for (let index = 0; index < described.length && budget.left-- > 0; index++) {
    const entry: unknown = described[index]
    const { name, below } = (typeof entry === 'object' && entry !== null ? entry : {}) as { name?: unknown; below?: unknown }
    if (typeof name !== 'string') continue
    children.push(below === undefined ? new APIMethod(name) : new APIObject(name, childrenOf(below, budget, depth + 1)))
  }
  return children
}

const maxDescribed = 10_000

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
