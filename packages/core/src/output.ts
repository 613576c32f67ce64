import type { Writable } from 'node:stream'

/**
 * Writes a chunk of a guest's output; a promise says when a full target can take more. A target that is broken (nobody
 * reads this process's stdout any more) takes everything and keeps nothing: neither the host nor the guest ends of it.
 */
export function passOn(target: Writable, chunk: Uint8Array): Promise<void> | undefined {
  let passage = passages.get(target)
  if (passage === undefined) {
    passage = new Passage(target)
    passages.set(target, passage)
  }
  return passage.write(chunk)
}

/** One set of listeners for each target, however many guests write to it. */
const passages = new WeakMap<Writable, Passage>()

class Passage {
  readonly #target: Writable
  #isBroken = false
  #waiting: (() => void)[] = []

  constructor(target: Writable) {
    this.#target = target
    target.on('drain', () => this.#release())
    for (const event of ['error', 'close']) {
      target.on(event, () => {
        this.#isBroken = true
        this.#release()
      })
    }
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#isBroken || this.#target.write(chunk)) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
