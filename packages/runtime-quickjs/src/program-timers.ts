/** Keeps the time for the timers of a program, whose numbers mean nothing else. */
export class ProgramTimers {
  readonly #fire: (id: number) => void
  readonly #running = new Map<number, () => void>()

  constructor(fire: (id: number) => void) {
    this.#fire = fire
  }

  /** Fires once, after so many milliseconds; after none in the next turn, where a timer would take one. Its word: of any kind and number. */
  start(id: number, delayMs: number): void {
    this.stop(id)
    if (this.#running.size >= maxTimers) return
    const fire = () => {
      this.#running.delete(id)
      this.#fire(id)
    }
    if (delayMs === 0) {
      const immediate = setImmediate(fire)
      this.#running.set(id, () => clearImmediate(immediate))
    } else {
      const timeout = setTimeout(fire, delayMs)
      this.#running.set(id, () => clearTimeout(timeout))
    }
  }

  stop(id: number): void {
    this.#running.get(id)?.()
    this.#running.delete(id)
  }

  /** Fires no more. */
  close(): void {
    for (const cancel of this.#running.values()) cancel()
    this.#running.clear()
  }
}

/** As many as the prelude lets a program have. */
const maxTimers = 10_000
