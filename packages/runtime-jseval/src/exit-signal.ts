/**
 * What `process.exit()` throws to unwind the program. Whoever listens to 'uncaughtException' or 'unhandledRejection'
 * ignores what carries `Symbol.for('confine-sandbox.exit-signal')`: the container has already said `closed`.
 */
export interface ExitSignal extends Error {
  readonly exitCode: number
}

const brand = Symbol.for('confine-sandbox.exit-signal')

const signals = new WeakSet<object>()

/** Makes the signal of one exit, and keeps the process from taking it for a fault where nobody catches it. */
export function exitSignal(exitCode: number): ExitSignal {
  const signal = new Error(`The program called process.exit(${exitCode})`)
  Object.defineProperty(signal, 'exitCode', { value: exitCode })
  Object.defineProperty(signal, brand, { value: true })
  signals.add(signal)
  hush()
  return signal as ExitSignal
}

/** Whether `value` is the signal of an exit. Does not touch it: a program may have thrown anything. */
export function isExitSignal(value: unknown): value is ExitSignal {
  return typeof value === 'object' && value !== null && signals.has(value)
}

/**
 * The program may have called exit from a timer or in a promise that nobody awaits, where the signal would end a
 * process that listens to neither event. Both events come before the next turn of the loop.
 */
function hush(): void {
  if (process.listeners('uncaughtException').includes(uncaught)) return
  process.on('unhandledRejection', unhandled)
  process.on('uncaughtException', uncaught)
  setImmediate(() => {
    process.off('unhandledRejection', unhandled)
    process.off('uncaughtException', uncaught)
  })
}

/** Where nobody else listens, these two must not hide what is no signal. */
function unhandled(reason: unknown): void {
  if (!isExitSignal(reason) && process.listenerCount('unhandledRejection') === 1) throw reason
}

function uncaught(error: unknown): void {
  if (!isExitSignal(error) && process.listenerCount('uncaughtException') === 1) throw error
}
