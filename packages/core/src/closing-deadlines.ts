/**
 * The deadlines of the containers that are being closed in one guest process. The guest closes one after the other, so
 * each has its time from when those before it were closed: a crowd of them is no reason to end a guest that answers.
 */
export class ClosingDeadlines {
  readonly #overdue: (cid: number) => void
  /** In the order in which the guest was asked. */
  readonly #closing = new Set<{ readonly cid: number }>()
  #timer: NodeJS.Timeout | undefined

  /** @param overdue Told of the container that is not closed in time. */
  constructor(overdue: (cid: number) => void) {
    this.#overdue = overdue
  }

  /** The guest was asked to close a container. Returns what to call when it has answered. */
  begin(cid: number): () => void {
    const entry = { cid }
    this.#closing.add(entry)
    if (this.#closing.size === 1) this.#watchFirst()
    return () => {
      const [first] = this.#closing
      this.#closing.delete(entry)
      if (first === entry) this.#watchFirst()
    }
  }

  #watchFirst(): void {
    clearTimeout(this.#timer)
    const [first] = this.#closing
    if (first === undefined) return
    // After one more look at what has come: this process may have been too busy to read the answer.
    const look = () => this.#closing.has(first) && this.#overdue(first.cid)
    this.#timer = setTimeout(() => setImmediate(look), closeTimeoutMs)
  }
}

/** How long a guest may take to close a container, milliseconds. */
export const closeTimeoutMs = 1000
