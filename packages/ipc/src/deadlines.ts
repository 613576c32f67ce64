/** What may take only so long. What is written here belongs to `Deadlines`. */
export class Timed {
  /** When its time is over, by `performance.now()`. */
  dueMs = 0
  /** Where it waits; nowhere when it has no deadline, or none any more. */
  queue: Queue | undefined = undefined
  before: Timed | undefined = undefined
  behind: Timed | undefined = undefined

  /** Its time is over. */
  overdue(): void {}
}

/**
 * Many deadlines with few timers: those of one length stand in a queue, in the order in which they end, and a timer waits for
 * the first. A deadline ends no earlier than it should, and as late as a timer of its own would.
 */
export class Deadlines {
  readonly #queues = new Map<number, Queue>()
  #last: Queue | undefined
  #enough = fewQueues

  /** It has so long from now on, milliseconds: at most 2^31 - 1. */
  add(timed: Timed, milliseconds: number): void {
    let queue = this.#last
    if (queue === undefined || queue.milliseconds !== milliseconds) {
      queue = this.#queues.get(milliseconds) ?? this.#newQueue(milliseconds)
      this.#last = queue
    }
    queue.add(timed)
  }

  /** It has as long as it likes. */
  remove(timed: Timed): void {
    timed.queue?.remove(timed)
  }

  /** Forgets every queue in which nobody waits, and its timer. */
  clear(): void {
    for (const queue of this.#queues.values()) if (queue.isEmpty) this.#drop(queue)
  }

  #newQueue(milliseconds: number): Queue {
    // Who gives each call a length of its own leaves a queue each. They are looked through when they have become twice as many.
    if (this.#queues.size >= this.#enough) {
      this.clear()
      this.#enough = Math.max(fewQueues, this.#queues.size * 2)
    }
    const queue = new Queue(milliseconds, () => this.#drop(queue))
    this.#queues.set(milliseconds, queue)
    return queue
  }

  #drop(queue: Queue): void {
    queue.stop()
    if (this.#queues.get(queue.milliseconds) === queue) this.#queues.delete(queue.milliseconds)
    if (this.#last === queue) this.#last = undefined
  }
}

/** So many may be empty. */
const fewQueues = 8

class Queue {
  readonly milliseconds: number
  readonly #drop: () => void
  #first: Timed | undefined
  #last: Timed | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number, drop: () => void) {
    this.milliseconds = milliseconds
    this.#drop = drop
  }

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  add(timed: Timed): void {
    timed.dueMs = performance.now() + this.milliseconds
    timed.queue = this
    timed.before = this.#last
    if (this.#last === undefined) this.#first = timed
    else this.#last.behind = timed
    this.#last = timed
    if (this.#timer === undefined) this.#wait(this.milliseconds)
  }

  remove(timed: Timed): void {
    const { before, behind } = timed
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
    timed.queue = undefined
    timed.before = undefined
    timed.behind = undefined
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Whoever waits here waits for a process or a socket, which keeps this process: the timer need not. */
  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.ceil(milliseconds))).unref()
  }

  #look(): void {
    const now = performance.now()
    for (let first = this.#first; first !== undefined && first.dueMs <= now; first = this.#first) {
      this.remove(first)
      first.overdue()
    }
    this.#timer = undefined
    // The timer goes on while there are calls, one for all of them, and stops by itself when there are none.
    if (this.#first === undefined) this.#drop()
    else this.#wait(this.#first.dueMs - now)
  }
}
