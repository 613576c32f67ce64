import { ConfineError, type EndReason } from '@confine-sandbox/contract'
import { show } from './show.ts'

/** What may take only so long: getting ready, loading a program, one call, a container that nobody calls. */
export type Budget = 'start' | 'load' | 'call' | 'idle'

/** Budgets of time, milliseconds; `Infinity` means none, except for the start. */
export interface TimeoutOptions {
  /** How long the guest process may take to get ready. @default 30,000 */
  startTimeoutMs?: number | undefined
  /** How long a program may take to load. `execContainer({ timeoutMs })` sets another for one. @default 30,000 */
  loadTimeoutMs?: number | undefined
  /** How long a call of the guest may take, with all that it waits for. `call(…, { timeoutMs })` sets another for one. @default 30,000 */
  timeoutMs?: number | undefined
  /** How long a container may live without a call of the host's under way. `execContainer({ idleTimeoutMs })` sets another for one. @default Infinity */
  idleTimeoutMs?: number | undefined
}

/** The budgets that hold unless others are given. */
export const defaultTimeouts = Object.freeze({
  startTimeoutMs: 30_000,
  loadTimeoutMs: 30_000,
  timeoutMs: 30_000,
  idleTimeoutMs: Number.POSITIVE_INFINITY,
})

/**
 * Checks an option that is a time.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkTimeout(name: string, value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= longestMs) return value as number
  throw new ConfineError(
    'ERR_CONFINE_BAD_OPTION',
    `The option ${name} must be a positive whole number of milliseconds up to ${longestMs}, or Infinity; it is ${show(value)}`,
  )
}

/** The longest delay of a timer. */
const longestMs = 0x7fffffff

/** A budget that was used up: the error for those who wait, and the reason with which a process ends for it. */
export class Overdue {
  readonly error: ConfineError
  readonly end: EndReason

  /** @param what As it stands in `… took longer than 5 ms`: 'the call of add in container 3'. */
  constructor(budget: Budget, what: string, timeoutMs: number, fields: { cid: number; method?: string }) {
    this.error = new ConfineError(
      'ERR_CONFINE_TIMEOUT',
      `${what.charAt(0).toUpperCase()}${what.slice(1)} took longer than ${timeoutMs} ms`,
      {
        fields: { budget, timeoutMs, ...fields },
      },
    )
    this.end = { kind: 'timeout', what, timeoutMs }
  }
}
