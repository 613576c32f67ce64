import type { Task } from './host-calls.ts'

/**
 * The timers of a program, kept inside the isolate so that they count against its memory; the process outside holds one
 * timer, for the earliest.
 * @param arm asks the outside to call `tick` after so many milliseconds, and forgets what it asked before.
 * @param task what runs now.
 */
export function timers(arm: (delayMs: number) => void, task: Task) {
  const { apply, defineProperty } = Reflect
  const now = Date.now
  const { ceil, max } = Math
  const toNumber = Number
  interface Timer {
    readonly id: number
    due: number
    readonly every: number | undefined
    readonly callback: Function
    readonly args: unknown[]
    readonly operation: number
  }
  // In the order in which they are due.
  const queue: Timer[] = []
  let lastId = 0
  let armedFor = Infinity

  function after(callback: unknown, delay: unknown, args: unknown[], repeats: boolean): number {
    const number = toNumber(delay)
    return add(callback, number >= 1 && number <= 2 ** 31 - 1 ? ceil(number) : 1, args, repeats)
  }

  function add(callback: unknown, delayMs: number, args: unknown[], repeats: boolean): number {
    if (typeof callback !== 'function') throw new TypeError('The callback of a timer must be a function')
    const timer = { id: ++lastId, due: now() + delayMs, every: repeats ? delayMs : undefined, callback, args, operation: task.operation }
    insert(timer)
    return timer.id
  }

  function insert(timer: Timer): void {
    let index = queue.length
    while (index > 0 && queue[index - 1]!.due > timer.due) {
      set(index, queue[index - 1]!)
      index--
    }
    set(index, timer)
    rearm()
  }

  function remove(id: unknown): void {
    let index = 0
    while (index < queue.length && queue[index]!.id !== id) index++
    if (index === queue.length) return
    for (; index < queue.length - 1; index++) set(index, queue[index + 1]!)
    queue.length--
  }

  function rearm(): void {
    if (queue.length === 0 || queue[0]!.due >= armedFor) return
    armedFor = queue[0]!.due
    const delayMs = armedFor - now()
    arm(max(0, delayMs))
  }

  /** Runs what is due first; microtasks run before the next. */
  function tick(): void {
    armedFor = Infinity
    const timer = queue[0]
    try {
      if (timer === undefined || timer.due > now()) return
      task.operation = timer.operation
      remove(timer.id)
      if (timer.every !== undefined) {
        timer.due = now() + timer.every
        insert(timer)
      }
      apply(timer.callback, undefined, timer.args)
    } finally {
      rearm()
    }
  }

  // A plain assignment would run a setter that the program put on Array.prototype.
  function set(index: number, timer: Timer): void {
    defineProperty(queue, index, {
      __proto__: null,
      value: timer,
      writable: true,
      enumerable: true,
      configurable: true,
    } as PropertyDescriptor)
  }

  const globals = {
    setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]) => after(callback, delay, args, false),
    setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]) => after(callback, delay, args, true),
    setImmediate: (callback: unknown, ...args: unknown[]) => add(callback, 0, args, false),
    clearTimeout: remove,
    clearInterval: remove,
    clearImmediate: remove,
  }
  return { globals, tick }
}
