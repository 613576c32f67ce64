import { ConfineError } from '@confine-sandbox/contract'

/** What every asynchronous method takes. */
export interface Abortable {
  /** Aborting it rejects the call at once, with ERR_CONFINE_ABORTED and the signal's reason as its `cause`. */
  readonly signal?: AbortSignal | undefined
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
