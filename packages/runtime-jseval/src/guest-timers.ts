import { isExitSignal } from './exit-signal.ts'

/** Timers that can all be cleared at once, and in whose callbacks `process.exit()` works. */
export interface GuestTimers {
  readonly globals: Record<string, unknown>
  clear(): void
}

type Callback = (...args: unknown[]) => unknown

/** Makes the timer functions of one program. */
export function guestTimers(): GuestTimers {
  const running = new Set<NodeJS.Timeout | NodeJS.Immediate>()

  function start(timer: typeof setTimeout | typeof setInterval) {
    return (callback: Callback, delay?: number, ...args: unknown[]) => {
      if (typeof callback !== 'function') return timer(callback as never, delay)
      const repeats = timer === setInterval
      const handle: NodeJS.Timeout = timer(() => {
        if (!repeats) running.delete(handle)
        guard(callback, args)
      }, delay)
      running.add(handle)
      return handle
    }
  }

  function startImmediate(callback: Callback, ...args: unknown[]) {
    if (typeof callback !== 'function') return setImmediate(callback as never)
    const handle = setImmediate(() => {
      running.delete(handle)
      guard(callback, args)
    })
    running.add(handle)
    return handle
  }

  function stop(clear: (timer: never) => void) {
    return (timer: unknown) => {
      clear(timer as never)
      if (typeof timer === 'object') running.delete(timer as NodeJS.Timeout)
      // Node takes a timer's number as well.
      else for (const handle of running) if ('refresh' in handle && Number(handle) === Number(timer)) running.delete(handle)
    }
  }

  const globals = {
    setTimeout: likeNodes(start(setTimeout), setTimeout),
    setInterval: likeNodes(start(setInterval), setInterval),
    setImmediate: likeNodes(startImmediate, setImmediate),
    clearTimeout: stop(clearTimeout),
    clearInterval: stop(clearInterval),
    clearImmediate: stop(clearImmediate),
  }
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(value, 'name', { value: name })

  return {
    globals,
    clear() {
      for (const timer of running) {
        if ('refresh' in timer) clearTimeout(timer)
        else clearImmediate(timer)
      }
      running.clear()
    },
  }
}

/** util.promisify and the like read symbols of the originals. */
function likeNodes<T extends object>(own: T, node: object): T {
  for (const key of Object.getOwnPropertySymbols(node)) {
    const descriptor = Object.getOwnPropertyDescriptor(node, key)
    if (descriptor !== undefined) Object.defineProperty(own, key, descriptor)
  }
  return own
}

function guard(callback: Callback, args: unknown[]): void {
  try {
    callback(...args)
  } catch (error) {
    if (!isExitSignal(error)) throw error
  }
}
