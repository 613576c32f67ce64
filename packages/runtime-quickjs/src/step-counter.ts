import type { QuickJSContext } from 'quickjs-emscripten-core'

/**
 * How many steps the engine takes before it asks its interrupt handler again. It asks every 10,000 steps, and a step can be a
 * built-in function that takes a second: by then hours have passed. So the number that it counts down is written here, small at
 * first, and larger as long as the steps are short. Where that number lies is found by counting; an engine in which it is not found
 * asks as it always did.
 */
export class StepCounter {
  readonly #memory: WebAssembly.Memory
  readonly #address: number | undefined
  #steps = firstSteps
  #askedAt = 0
  #lookedAt = 0

  constructor(context: QuickJSContext, memory: WebAssembly.Memory) {
    this.#memory = memory
    this.#address = findCounter(context, memory)
  }

  /** Whether the number was found. */
  get isFound(): boolean {
    return this.#address !== undefined
  }

  /** The engine is entered. */
  begin(): void {
    this.#askedAt = performance.now()
    this.#write(firstSteps)
  }

  /** The engine has asked. Returns whether it is time to look at the clock of CPU time, which costs more than the steps. */
  asked(): boolean {
    const now = performance.now()
    const tookMs = now - this.#askedAt
    this.#askedAt = now
    const factor = tookMs < wantedMs / 4 ? 4 : wantedMs / tookMs
    this.#write(Math.min(Math.max(Math.floor(this.#steps * factor), 1), mostSteps))
    if (this.#address !== undefined && now - this.#lookedAt < wantedMs) return false
    this.#lookedAt = now
    return true
  }

  #write(steps: number): void {
    this.#steps = steps
    if (this.#address !== undefined) new Int32Array(this.#memory.buffer, this.#address, 1)[0] = steps
  }
}

/** Runs the same steps twice, and looks which word of the context has become as much smaller each time. */
function findCounter(context: QuickJSContext, memory: WebAssembly.Memory): number | undefined {
  const { value: start } = (context as unknown as { readonly ctx: { readonly value: number } }).ctx
  const [first = [], second = [], third = []] = [1, 2, 3].map(() => {
    context.unwrapResult(context.evalCode(`for (let i = 0; i < ${knownSteps}; i++);`)).dispose()
    return [...new Int32Array(memory.buffer, start, contextWords)]
  })
  const found = first.flatMap((value, index) => {
    const fell = value - (second[index] as number)
    const fellAgain = (second[index] as number) - (third[index] as number)
    return value < stepsOfEngine && fell >= knownSteps && fell <= 5 * knownSteps && fell === fellAgain ? [start + index * 4] : []
  })
  return found.length === 1 ? found[0] : undefined
}

/** As QuickJS sets it. */
const stepsOfEngine = 10_000
/** So many short steps take some microseconds. However short they were, the next ones may be long. */
const mostSteps = 256
const firstSteps = 16
const wantedMs = 1
const knownSteps = 100
/** Of the engine's record of a context. */
const contextWords = 72
