type Start = (callback: unknown, delay?: unknown, ...args: unknown[]) => number
type Stop = (id: unknown) => void

/** Node's timers are objects, where the web's are numbers. Runs inside the isolate: uses nothing but the language. */
export function nodeTimers(timers: Record<string, Start | Stop>) {
  class Timeout {
    readonly #start: () => number
    readonly #stop: Stop
    #id: number

    constructor(start: () => number, stop: Stop) {
      this.#start = start
      this.#stop = stop
      this.#id = start()
    }

    static id(timer: unknown): unknown {
      return typeof timer === 'object' && timer !== null && #id in timer ? timer.#id : timer
    }

    /** A container does not end when nothing is left to do, so no timer keeps it alive. */
    ref(): this {
      return this
    }

    unref(): this {
      return this
    }

    hasRef(): boolean {
      return true
    }

    refresh(): this {
      this.#stop(this.#id)
      this.#id = this.#start()
      return this
    }

    close(): this {
      this.#stop(this.#id)
      return this
    }

    [Symbol.toPrimitive](): number {
      return this.#id
    }

    [Symbol.dispose](): void {
      this.#stop(this.#id)
    }
  }

  const { id } = Timeout
  Reflect.deleteProperty(Timeout, 'id')
  const made: Record<string, Function> = {}
  for (const kind of ['Timeout', 'Interval', 'Immediate']) {
    const start = timers[`set${kind}`] as Start
    const stop = timers[`clear${kind}`] as Stop
    made[`set${kind}`] = (callback: unknown, ...rest: unknown[]) => new Timeout(() => start(callback, ...rest), stop)
    made[`clear${kind}`] = (timer: unknown) => stop(id(timer))
  }
  return made
}
