import type { Task } from './host-calls.ts'

/**
 * The timers of a program, kept inside the isolate so that they count against its memory; the process outside holds one
 * timer, for the earliest.
 * @param arm asks the outside to call `tick` after so many milliseconds, and forgets what it asked before.
 * @param task what runs now.
 */
export function timers(arm: (delayMs: number) => void, task: Task) {
  const { apply } = Reflect
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
    before: Timer | undefined
    behind: Timer | undefined
  }
  // In the order in which they are due.
  let first: Timer | undefined
  let last: Timer | undefined
  const byId = { __proto__: null } as unknown as Record<number, Timer>
  let lastId = 0
  let armedFor = Infinity

  function after(callback: unknown, delay: unknown, args: unknown[], repeats: boolean): number {
    const number = toNumber(delay)
    return add(callback, number >= 1 && number <= 2 ** 31 - 1 ? ceil(number) : 1, args, repeats)
  }

  function add(callback: unknown, delayMs: number, args: unknown[], repeats: boolean): number {
    if (typeof callback !== 'function') throw new TypeError('The callback of a timer must be a function')
    const timer: Timer = {
      id: ++lastId,
      due: now() + delayMs,
      every: repeats ? delayMs : undefined,
      callback,
      args,
      operation: task.operation,
      before: undefined,
      behind: undefined,
    }
    insert(timer)
    return timer.id
  }

  function insert(timer: Timer): void {
    let before = last
    while (before !== undefined && before.due > timer.due) before = before.before
    timer.before = before
    timer.behind = before === undefined ? first : before.behind
    join(before, timer)
    join(timer, timer.behind)
    byId[timer.id] = timer
    rearm()
  }

  function remove(id: unknown): void {
    const timer = typeof id === 'number' ? byId[id] : undefined
    if (timer === undefined) return
    delete byId[timer.id]
    join(timer.before, timer.behind)
  }

  function join(before: Timer | undefined, behind: Timer | undefined): void {
    if (before === undefined) first = behind
    else before.behind = behind
    if (behind === undefined) last = before
    else behind.before = before
  }

  function rearm(): void {
    if (first === undefined || first.due >= armedFor) return
    armedFor = first.due
    arm(max(0, armedFor - now()))
  }

  /** Runs what is due first; microtasks run before the next. */
  function tick(): void {
    armedFor = Infinity
    const timer = first
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
