/**
 * The places for isolates that run at the same time. isolated-vm starts a thread for each that finds no free one, and ends
 * the process where the system refuses it: a hundred calls at once would take a guest's containers with them.
 */
export class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Calls back when there is a place. */
  take(arrived: () => void): void {
    if (this.#free === 0) this.#waiting.push(arrived)
    else {
      this.#free--
      arrived()
    }
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

/** The way into one isolate: it holds one place from when something enters until nothing is inside. */
export class Entrance {
  readonly #places: Places
  #state: 'outside' | 'waiting' | 'inside' | 'closed' = 'outside'
  #inside = 0
  #queue: (() => void)[] = []
  #emptied: (() => void) | undefined

  constructor(places: Places) {
    this.#places = places
  }

  /** Entries that have not come back, those that wait included. */
  get count(): number {
    return this.#inside
  }

  /** Enters, at once when the isolate has its place, else when it gets one. */
  enter(start: () => Promise<unknown>, failed: (error: unknown) => void): void {
    this.#inside++
    const begin = () => {
      void run(start, failed).finally(() => this.#left())
    }
    if (this.#state === 'inside' || this.#state === 'closed') begin()
    else {
      this.#queue.push(begin)
      if (this.#state === 'outside') this.#wait()
    }
  }

  /** Waits until nothing is inside. */
  async empty(): Promise<void> {
    if (this.#inside > 0) await new Promise<void>((resolve) => (this.#emptied = resolve))
  }

  /** The isolate is gone: who waits need wait no more. */
  close(): void {
    if (this.#state === 'inside') this.#places.give()
    this.#state = 'closed'
    this.#beginAll()
  }

  #wait(): void {
    this.#state = 'waiting'
    this.#places.take(() => {
      if (this.#state === 'closed') this.#places.give()
      else {
        this.#state = 'inside'
        this.#beginAll()
      }
    })
  }

  #beginAll(): void {
    const queue = this.#queue
    this.#queue = []
    for (const begin of queue) begin()
  }

  #left(): void {
    if (--this.#inside > 0) return
    if (this.#state === 'inside') {
      this.#state = 'outside'
      this.#places.give()
    }
    this.#emptied?.()
  }
}

async function run(start: () => Promise<unknown>, failed: (error: unknown) => void): Promise<void> {
  try {
    await start()
  } catch (error) {
    failed(error)
  }
}
