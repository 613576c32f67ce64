/** Keeps the time for the timers of a program, whose numbers mean nothing else. */
export class ProgramTimers {
  readonly #fire: (id: number) => void
  readonly #running = new Map<number, NodeJS.Timeout>()

  constructor(fire: (id: number) => void) {
    this.#fire = fire
  }

  /** Fires once, after so many milliseconds. Its word: of any kind and number. */
  start(id: number, delayMs: number): void {
    this.stop(id)
    if (this.#running.size >= maxTimers) return
    const timer = setTimeout(() => {
      this.#running.delete(id)
      this.#fire(id)
    }, delayMs)
    this.#running.set(id, timer)
  }

  stop(id: number): void {
    clearTimeout(this.#running.get(id))
    this.#running.delete(id)
  }

  /** Fires no more. */
  close(): void {
    for (const timer of this.#running.values()) clearTimeout(timer)
    this.#running.clear()
  }
}

/** As many as the prelude lets a program have. */
const maxTimers = 10_000
