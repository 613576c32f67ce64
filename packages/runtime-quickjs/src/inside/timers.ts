/** The timers of a program. */
export interface Timers {
  readonly globals: Readonly<Record<string, Function>>
  /** The time of a timer has come. */
  fire(id: number): void
}

/**
 * Keeps what timers call; the outside keeps the time. Crosses into the engine as its own text.
 * @param start asks the outside to fire once after so many milliseconds.
 * @param stop asks it not to.
 * @param failed tells it what a timer threw.
 */
export function timers(
  start: (id: number, delayMs: number) => void,
  stop: (id: number) => void,
  failed: (thrown: unknown) => void,
): Timers {
  const waiting = new Map<number, { readonly callback: Function; readonly args: unknown[]; readonly everyMs: number | undefined }>()
  const maxTimers = 10_000
  let lastId = 0

  const after = (callback: unknown, delay: unknown, args: unknown[], repeats: boolean): number => {
    const number = Number(delay)
    return add(callback, number >= 1 && number <= 2 ** 31 - 1 ? Math.ceil(number) : 1, args, repeats)
  }
  const add = (callback: unknown, delayMs: number, args: unknown[], repeats: boolean): number => {
    if (typeof callback !== 'function') throw new TypeError('The callback of a timer must be a function')
    if (waiting.size >= maxTimers) throw new RangeError(`More than ${maxTimers} timers wait`)
    const id = ++lastId
    waiting.set(id, { callback, args, everyMs: repeats ? delayMs : undefined })
    start(id, delayMs)
    return id
  }
  const remove = (id: unknown): void => {
    if (waiting.delete(id as number)) stop(id as number)
  }

  return {
    globals: {
      setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]) => after(callback, delay, args, false),
      setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]) => after(callback, delay, args, true),
      setImmediate: (callback: unknown, ...args: unknown[]) => add(callback, 0, args, false),
      clearTimeout: remove,
      clearInterval: remove,
      clearImmediate: remove,
    },
    fire(id) {
      const timer = waiting.get(id)
      if (timer === undefined) return
      if (timer.everyMs === undefined) waiting.delete(id)
      else start(id, timer.everyMs)
      try {
        Reflect.apply(timer.callback, undefined, timer.args)
      } catch (thrown) {
        failed(thrown)
      }
    },
  }
}
