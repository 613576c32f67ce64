import type { Releasable } from './reference.ts'

/**
 * Releases what stands for garbage. The other side decides how much of it there is, and the system tells of all of it in one
 * turn of the event loop; so it is released in slices.
 */
export class Garbage {
  readonly #registry = new FinalizationRegistry<Releasable>((held) => this.#found(held))
  readonly #waiting: Releasable[] = []

  /** When `target` is garbage, `held` is released. */
  watch(target: object, held: Releasable): void {
    this.#registry.register(target, held, held)
  }

  /** It was released by hand. */
  forget(held: Releasable): void {
    this.#registry.unregister(held)
  }

  #found(held: Releasable): void {
    if (this.#waiting.push(held) === 1) this.#schedule()
  }

  #schedule(): void {
    setImmediate(() => {
      for (const held of this.#waiting.splice(0, sliceLength)) held.release()
      if (this.#waiting.length > 0) this.#schedule()
    }).unref()
  }
}

/** Some milliseconds. */
const sliceLength = 1000
