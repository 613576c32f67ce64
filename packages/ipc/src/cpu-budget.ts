/**
 * Bounds the CPU time that one piece of synchronous work takes on this thread. CPU time, not wall-clock time: on a busy
 * machine an honest peer must not pay for its neighbours. Asking costs a system call, so it is asked once per many steps.
 */
export class CpuBudget {
  readonly #milliseconds: number
  #steps = 0
  #start: NodeJS.CpuUsage | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** Counts steps of work; looks at the clock now and then. Returns whether the budget is used up. */
  spend(steps: number): boolean {
    this.#steps += steps
    return this.#steps >= stepsBetweenLooks && this.isSpent()
  }

  /** Looks at the clock. The first look starts it. */
  isSpent(): boolean {
    this.#steps = 0
    if (this.#start === undefined) {
      this.#start = threadCpuUsage()
      return false
    }
    const { user, system } = threadCpuUsage(this.#start)
    return (user + system) / 1000 > this.#milliseconds
  }
}

// Taken before guest code can touch `process`.
const threadCpuUsage = process.threadCpuUsage.bind(process)

/** With keys that all collide, a step of a map of 10,000 takes 50 microseconds: the clock is overrun by 25 milliseconds. */
const stepsBetweenLooks = 512
