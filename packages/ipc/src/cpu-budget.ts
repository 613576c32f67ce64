import { slowness } from './slowness.ts'

/**
 * Bounds the CPU time that one piece of synchronous work takes on this thread. CPU time, not wall-clock time: on a busy
 * machine an honest peer must not pay for its neighbours. Nor for a slow machine: before a budget is used up, it is asked how
 * slow this one is now. Asking costs a system call, so it is asked once per many steps.
 */
export class CpuBudget {
  readonly #milliseconds: number
  readonly #slowness: () => number
  /** What it has become on this machine, once that was asked. */
  #allowed: number | undefined
  #steps = 0
  #start: NodeJS.CpuUsage | undefined

  /** @param milliseconds On a machine whose slowness is 1; Infinity never asks for the time. */
  constructor(milliseconds: number, howSlow: () => number = slowness) {
    this.#milliseconds = milliseconds
    this.#slowness = howSlow
  }

  /** Begins anew. */
  reset(): void {
    this.#steps = 0
    this.#start = undefined
    this.#allowed = undefined
  }

  /** Counts steps of work; looks at the clock now and then. Returns whether the budget is used up. */
  spend(steps: number): boolean {
    this.#steps += steps
    return this.#steps >= stepsBetweenLooks && this.isSpent()
  }

  /** Looks at the clock. The first look starts it. */
  isSpent(): boolean {
    this.#steps = 0
    if (this.#milliseconds === Number.POSITIVE_INFINITY) return false
    if (this.#start === undefined) {
      this.#start = threadCpuUsage()
      return false
    }
    const { user, system } = threadCpuUsage(this.#start)
    const used = (user + system) / 1000
    if (used <= (this.#allowed ?? this.#milliseconds)) return false
    this.#allowed ??= this.#milliseconds * this.#slowness()
    return used > this.#allowed
  }
}

// Taken before guest code can touch `process`.
const threadCpuUsage = process.threadCpuUsage.bind(process)

/** With keys that all collide, a step of a map of 10,000 takes 50 microseconds: the clock is overrun by 25 milliseconds. */
const stepsBetweenLooks = 512
