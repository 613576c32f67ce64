import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten-core'
import { createEngine } from './engine.ts'
import { codec } from './inside/codec.ts'
import { preludePath, preludeSource } from './inside/index.ts'
import type { GlobalEntry, Inside, Outcome } from './inside/prelude.ts'
import type { Program } from './options.ts'
import type { SourceFile } from './guest-error.ts'
import { hostModule, ProgramModules, withMeta, withoutHashbang, wrapped } from './program-modules.ts'
import { ProgramTimers } from './program-timers.ts'
import { StepCounter } from './step-counter.ts'

/** Why an engine is of no use any more. */
export type EngineEnd = 'time' | 'broken'

/** What an engine tells its owner. All of it is the program's word, except `ended`. */
export interface EngineOwner {
  done(operationId: number, outcome: Outcome, word: string): void
  call(callId: number, index: number, params: string): void
  log(word: string): void
  /** Something was thrown where nobody waits for it. */
  failed(word: string): void
  ended(end: EngineEnd): void
}

/**
 * One engine with one program: all that this package does with QuickJS. Each entry is synchronous and runs until the
 * program has nothing left to do, or its time is over. After an end, nothing enters any more, and the collector takes the
 * engine with its memory: what a program left of it is not asked to free itself.
 */
export class GuestEngine {
  readonly #context: QuickJSContext
  readonly #inside: Record<keyof Inside, QuickJSHandle>
  readonly #owner: EngineOwner
  readonly #computeLimitMs: number
  readonly #steps: StepCounter
  readonly #modules: ProgramModules
  readonly #timers: ProgramTimers
  #isEntered = false
  #hasEnded = false
  #deadline = Number.POSITIVE_INFINITY
  #isOverdue = false

  /** @throws whatever the engine says when its memory does not even take the prelude. */
  static async create(program: Program, globals: readonly GlobalEntry[], owner: EngineOwner): Promise<GuestEngine> {
    const { context, memory } = await createEngine(program.memoryLimitMiB)
    return new GuestEngine(context, new StepCounter(context, memory), program, globals, owner)
  }

  private constructor(context: QuickJSContext, steps: StepCounter, program: Program, globals: readonly GlobalEntry[], owner: EngineOwner) {
    this.#context = context
    this.#steps = steps
    this.#owner = owner
    this.#computeLimitMs = program.computeLimitMs
    context.runtime.setInterruptHandler(() => {
      // It may be asked again while the engine unwinds.
      if (steps.asked()) this.#isOverdue ||= cpuTimeMs() > this.#deadline
      return this.#isOverdue || this.#hasEnded
    })
    this.#modules = new ProgramModules(program)
    this.#timers = new ProgramTimers((id) => this.#enter(undefined, () => this.#invoke(undefined, 'fire', context.newNumber(id))))
    context.runtime.setModuleLoader(
      (name) => this.#attempt(() => this.#modules.importText(name)),
      (from, specifier) => this.#modules.importName(specifier, from),
    )
    const { path, now, seed } = program
    const given = { path, globals, ...(now === undefined ? {} : { now }), ...(seed === undefined ? {} : { seed }) }
    const prepare = context.unwrapResult(context.evalCode(preludeSource, preludePath))
    const outside = [
      context.newFunction('done', (id, outcome, word) => this.#done(id, outcome, word)),
      context.newFunction('call', (id, index, params) =>
        owner.call(context.getNumber(id), context.getNumber(index), context.getString(params)),
      ),
      context.newFunction('log', (word) => owner.log(context.getString(word))),
      context.newFunction('find', (specifier, from) =>
        context.newString(codec().encode(this.#modules.require(context.getString(specifier), context.getString(from)))),
      ),
      context.newFunction('compile', (modulePath) => this.#compile(context.getString(modulePath))),
      context.newFunction('startTimer', (id, delayMs) => this.#timers.start(context.getNumber(id), context.getNumber(delayMs))),
      context.newFunction('stopTimer', (id) => this.#timers.stop(context.getNumber(id))),
      context.newFunction('failed', (word) => owner.failed(context.getString(word))),
    ]
    const inside = context.unwrapResult(
      context.callFunction(prepare, context.undefined, ...outside, context.newString(codec().encode(given))),
    )
    context.unwrapResult(context.evalCode(hostSource, hostModule, { type: 'module' })).dispose()
    const names = ['runCommonJs', 'runModule', 'call', 'settle', 'fire', 'read'] as const satisfies (keyof Inside)[]
    this.#inside = Object.fromEntries(names.map((name) => [name, context.getProp(inside, name)])) as Record<keyof Inside, QuickJSHandle>
  }

  /** Runs the program. The operation ends with the description of what it exports. */
  load(operationId: number, text: string, { path, module }: Program): void {
    this.#enter(operationId, () => {
      const isModule = module === 'esm'
      const code = isModule ? withMeta(text, path) : wrapped(text)
      const result = this.#context.evalCode(code, path, { type: isModule ? 'module' : 'global' })
      if (result.error !== undefined)
        return this.#thrown(operationId, isModule ? result.error : this.#withoutWrapper(result.error, text, path))
      this.#invoke(operationId, isModule ? 'runModule' : 'runCommonJs', this.#context.newNumber(operationId), result.value)
    })
  }

  /** The file of the program that a stack names. */
  fileAt(path: string): SourceFile | undefined {
    return this.#modules.source(path)
  }

  /** Calls an exported function. */
  call(operationId: number, word: string): void {
    const { newNumber, newString } = this.#makers
    this.#enter(operationId, () => this.#invoke(operationId, 'call', newNumber(operationId), newString(word)))
  }

  /** Answers a call of the host. */
  settle(callId: number, hasFailed: boolean, word: string): void {
    const { newNumber, newString } = this.#makers
    const flag = hasFailed ? this.#context.true : this.#context.false
    this.#enter(undefined, () => this.#invoke(undefined, 'settle', newNumber(callId), flag, newString(word)))
  }

  /** Lets nothing enter any more. A program that is running is interrupted. */
  end(): void {
    this.#hasEnded = true
    this.#timers.close()
  }

  get #makers() {
    const context = this.#context
    return { newNumber: (value: number) => context.newNumber(value), newString: (value: string) => context.newString(value) }
  }

  /** Runs one act and all that follows from it, under one deadline. */
  #enter(operationId: number | undefined, act: () => void): void {
    if (this.#hasEnded) return
    if (this.#isEntered) {
      // A host function that calls back at once waits until the engine is left.
      queueMicrotask(() => this.#enter(operationId, act))
      return
    }
    this.#isEntered = true
    this.#deadline = cpuTimeMs() + this.#computeLimitMs
    this.#steps.begin()
    try {
      act()
      this.#runJobs()
    } catch {
      // An exception that comes through the engine has left it in the middle of something: it cannot be entered again.
      this.#finish(this.#isOverdue ? 'time' : 'broken')
    } finally {
      this.#isEntered = false
    }
    if (this.#isOverdue) this.#finish('time')
  }

  #runJobs(): void {
    const { runtime } = this.#context
    while (!this.#hasEnded && !this.#isOverdue && runtime.hasPendingJob()) {
      const result = runtime.executePendingJobs(jobsAtOnce)
      result.dispose()
      // Jobs of a few steps each never ask the interrupt handler.
      this.#isOverdue ||= cpuTimeMs() > this.#deadline
    }
  }

  #invoke(operationId: number | undefined, name: keyof Inside, ...args: QuickJSHandle[]): void {
    const result = this.#context.callFunction(this.#inside[name], this.#context.undefined, ...args)
    for (const arg of args) if (arg.alive && arg !== this.#context.true && arg !== this.#context.false) arg.dispose()
    // The prelude catches what the program throws. This is the engine's: no memory, no stack, no time.
    if (result.error !== undefined) this.#thrown(operationId, result.error)
    else result.value.dispose()
  }

  #thrown(operationId: number | undefined, thrown: QuickJSHandle): void {
    if (this.#isOverdue || operationId === undefined) return
    const read = this.#context.callFunction(this.#inside.read, this.#context.undefined, thrown)
    thrown.dispose()
    const word = read.error === undefined ? this.#context.getString(read.value) : outOfMemory
    read.dispose()
    this.#owner.done(operationId, 'thrown', word)
  }

  /**
   * What to say of a program that cannot be compiled within its wrapper: what is wrong with its own text. A brace that is missing
   * is noticed at the wrapper's, on a line that the program does not have.
   */
  #withoutWrapper(error: QuickJSHandle, text: string, path: string): QuickJSHandle {
    const head = ' '.repeat(this.#modules.source(path)?.headLength ?? 0)
    const alone = this.#context.evalCode(head + withoutHashbang(text), path, { compileOnly: true })
    // A function, and so a program, may return.
    if (
      alone.error === undefined ||
      /return|new\.target/.test(this.#context.getProp(alone.error, 'message').consume((message) => this.#context.getString(message)))
    ) {
      alone.dispose()
      return error
    }
    error.dispose()
    return alone.error
  }

  #compile(path: string) {
    const text = this.#attempt(() => this.#modules.commonJsText(path))
    return typeof text === 'string' ? this.#context.evalCode(text, path) : text
  }

  #attempt(act: () => string): string | { error: QuickJSHandle } {
    try {
      return act()
    } catch (error) {
      return { error: this.#newError(error as Error) }
    }
  }

  /** An error of the engine's. */
  #newError({ name = 'Error', message, code, stack }: { name?: string; message: string; code?: string; stack?: string }): QuickJSHandle {
    const context = this.#context
    const error = context.newError({ name, message })
    for (const [key, value] of Object.entries({ code, stack })) {
      if (value !== undefined)
        context.newString(value).consume((text) => context.defineProp(error, key, { value: text, configurable: true }))
    }
    return error
  }

  #done(id: QuickJSHandle, outcome: QuickJSHandle, word: QuickJSHandle): void {
    // An interrupted regular expression throws something that the program, and the prelude, can catch.
    if (this.#isOverdue) return
    const context = this.#context
    this.#owner.done(context.getNumber(id), context.getString(outcome) as Outcome, context.getString(word))
  }

  #finish(end: EngineEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#timers.close()
    this.#owner.ended(end)
  }
}

const jobsAtOnce = 100

// Evaluated before any program, which therefore finds nothing on the global object.
const hostSource = `export const { require } = globalThis['confine:host']
delete globalThis['confine:host']`

/** What this thread has computed: a busy machine takes nothing of a program's time. */
function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Where there is not even memory to tell of it. */
const outOfMemory = codec().encode({ name: 'InternalError', message: 'out of memory', stack: '', fields: {} })
