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

/**
 * The way into one isolate. It holds one place from when something enters until nothing is inside. Where the isolate is
 * alone, nobody minds when this thread runs it.
 */
export class Entrance {
  readonly #places: Places
  readonly #visit: (() => Promise<unknown>) | undefined
  #state: 'outside' | 'waiting' | 'inside' | 'closed' = 'outside'
  #inside = 0
  #isHere = false
  #countHere = 0
  #isVisiting = false
  readonly #behind: Entry[] = []
  #queue: (() => void)[] = []
  #emptied: (() => void) | undefined

  /** @param visit where the isolate is alone: sends another thread in, with nothing to do but what V8 has for it. */
  constructor(places: Places, visit?: () => Promise<unknown>) {
    this.#places = places
    this.#visit = visit
  }

  /** Entries that have not come back, those that wait included. */
  get count(): number {
    return this.#inside + this.#behind.length + (this.#isHere ? 1 : 0)
  }

  /**
   * Enters in the order of these calls.
   * @param start enters on another thread.
   * @param startHere enters on this one.
   */
  enter(start: () => Promise<unknown>, startHere: () => unknown, failed: (error: unknown) => void): void {
    if (this.#visit === undefined) this.enterLater(start, failed)
    // It calls out, and is not entered a second time meanwhile.
    else if (this.#isHere) this.#behind.push({ start, startHere, failed })
    else this.#enterHere({ start, startHere, failed })
  }

  /** Enters on another thread: at once when the isolate has its place, else when it gets one. */
  enterLater(start: () => Promise<unknown>, failed: (error: unknown) => void): void {
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
    if (this.count > 0) await new Promise<void>((resolve) => (this.#emptied = resolve))
  }

  /** The isolate is gone: who waits need wait no more. */
  close(): void {
    if (this.#state === 'inside') this.#places.give()
    this.#state = 'closed'
    this.#beginAll()
  }

  #enterHere(first: Entry): void {
    this.#isHere = true
    for (let entry: Entry | undefined = first; entry !== undefined; entry = this.#behind.shift()) {
      try {
        // Behind what another thread does in there.
        if (this.#inside > 0) this.enterLater(entry.start, entry.failed)
        else {
          if (++this.#countHere % entriesHere === 0) this.#visitSoon()
          entry.startHere()
        }
      } catch (error) {
        entry.failed(error)
      }
    }
    this.#isHere = false
    if (this.#inside === 0) this.#emptied?.()
  }

  /** When this turn is over: what enters behind a visit has to wait for it. */
  #visitSoon(): void {
    if (this.#isVisiting) return
    this.#isVisiting = true
    setImmediate(() => {
      this.#isVisiting = false
      if (this.#state !== 'closed') this.enterLater(this.#visit!, () => {})
    })
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
    if (this.count === 0) this.#emptied?.()
  }
}

/** After so many entries V8's own tasks get a thread, as they are not done on this one: functions of outside that a program let go of are noticed there. */
const entriesHere = 64

interface Entry {
  /** On another thread. */
  start(): Promise<unknown>
  /** On this one. */
  startHere(): unknown
  failed(error: unknown): void
}

async function run(start: () => Promise<unknown>, failed: (error: unknown) => void): Promise<void> {
  try {
    await start()
  } catch (error) {
    failed(error)
  }
}
