import { ConfineError } from '@confine-sandbox/contract'
import { show } from './show.ts'

/** What every asynchronous method takes. */
export interface Abortable {
  /** Aborting it rejects the call at once, with ERR_CONFINE_ABORTED and the signal's reason as its `cause`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The `signal` of the options of a call.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function signalOf(options: unknown): AbortSignal | undefined {
  return checkSignal(asOptions(options).signal)
}

/**
 * The options of a call, when they are some.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function asOptions(options: unknown): Readonly<Record<string, unknown>> {
  if (typeof options === 'object' && options !== null) return options as Record<string, unknown>
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The options of a call must be an object such as { signal }; they are ${show(options)}`)
}

/**
 * Checks a `signal` option, of whatever realm it is.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const { aborted, addEventListener } = (signal ?? {}) as AbortSignal
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return signal as AbortSignal
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The option signal must be an AbortSignal')
}

/** The error for who waits while a signal aborts. */
export function abortError(signal: AbortSignal): ConfineError {
  const { reason } = signal
  const why = reason instanceof Error ? `: ${reason.message}` : ''
  return new ConfineError('ERR_CONFINE_ABORTED', `The caller's signal aborted${why}`, { cause: reason })
}

/** Waits no longer than until a signal aborts. What is waited for goes on. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  if (signal.aborted) {
    work.catch(() => {})
    throw abortError(signal)
  }
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(abortError(signal))
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
