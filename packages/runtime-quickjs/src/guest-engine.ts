import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten-core'
import { createEngine } from './engine.ts'
import { codec } from './inside/codec.ts'
import { preludePath, preludeSource } from './inside/index.ts'
import type { GlobalEntry, Inside, Outcome } from './inside/prelude.ts'
import type { Program } from './options.ts'

/** Why an engine is of no use any more. */
export type EngineEnd = 'time' | 'broken'

/** What an engine tells its owner. All of it is the program's word, except `ended`. */
export interface EngineOwner {
  done(operationId: number, outcome: Outcome, word: string): void
  call(callId: number, index: number, params: string): void
  log(word: string): void
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
  #isEntered = false
  #hasEnded = false
  #deadline = Number.POSITIVE_INFINITY
  #isOverdue = false

  /** @throws whatever the engine says when its memory does not even take the prelude. */
  static async create(program: Program, globals: readonly GlobalEntry[], owner: EngineOwner): Promise<GuestEngine> {
    return new GuestEngine(await createEngine(program.memoryLimitMiB), program, globals, owner)
  }

  private constructor(context: QuickJSContext, program: Program, globals: readonly GlobalEntry[], owner: EngineOwner) {
    this.#context = context
    this.#owner = owner
    this.#computeLimitMs = program.computeLimitMs
    context.runtime.setInterruptHandler(() => {
      // It may be asked again while the engine unwinds.
      this.#isOverdue ||= cpuTimeMs() > this.#deadline
      return this.#isOverdue || this.#hasEnded
    })
    const { path, now, seed } = program
    const given = { path, globals, ...(now === undefined ? {} : { now }), ...(seed === undefined ? {} : { seed }) }
    const prepare = context.unwrapResult(context.evalCode(preludeSource, preludePath))
    const outside = [
      context.newFunction('done', (id, outcome, word) => this.#done(id, outcome, word)),
      context.newFunction('call', (id, index, params) =>
        owner.call(context.getNumber(id), context.getNumber(index), context.getString(params)),
      ),
      context.newFunction('log', (word) => owner.log(context.getString(word))),
    ]
    const inside = context.unwrapResult(
      context.callFunction(prepare, context.undefined, ...outside, context.newString(codec().encode(given))),
    )
    const names = ['runCommonJs', 'runModule', 'call', 'settle', 'read'] as const satisfies (keyof Inside)[]
    this.#inside = Object.fromEntries(names.map((name) => [name, context.getProp(inside, name)])) as Record<keyof Inside, QuickJSHandle>
  }

  /** Runs the program. The operation ends with the description of what it exports. */
  load(operationId: number, { text, path, module }: Program): void {
    this.#enter(operationId, () => {
      const isModule = module === 'esm'
      // On one line with the source, so that no line moves.
      const code = isModule ? text : `(function (exports, require, module, __filename, __dirname) { ${text}\n})`
      const result = this.#context.evalCode(code, path, { type: isModule ? 'module' : 'global' })
      if (result.error !== undefined) return this.#thrown(operationId, result.error)
      this.#invoke(operationId, isModule ? 'runModule' : 'runCommonJs', this.#context.newNumber(operationId), result.value)
    })
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

  #done(id: QuickJSHandle, outcome: QuickJSHandle, word: QuickJSHandle): void {
    // An interrupted regular expression throws something that the program, and the prelude, can catch.
    if (this.#isOverdue) return
    const context = this.#context
    this.#owner.done(context.getNumber(id), context.getString(outcome) as Outcome, context.getString(word))
  }

  #finish(end: EngineEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#owner.ended(end)
  }
}

const jobsAtOnce = 1000

/** What this thread has computed: a busy machine takes nothing of a program's time. */
function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Where there is not even memory to tell of it. */
const outOfMemory = codec().encode({ name: 'InternalError', message: 'out of memory', stack: '', fields: {} })
