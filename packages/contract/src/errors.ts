/** Every way in which confine-sandbox fails, as a stable string. Match `error.code`, not the message and not the class. */
export const errorCodes = Object.freeze([
  /** An option has the wrong type or value. Nothing was started. */
  'ERR_CONFINE_BAD_OPTION',
  /** The runtime module cannot be found. */
  'ERR_CONFINE_RUNTIME_NOT_FOUND',
  /** The runtime module was found, but it cannot be loaded or is no runtime class. */
  'ERR_CONFINE_RUNTIME_INVALID',
  /** This machine or platform cannot give the isolation that was asked for. */
  'ERR_CONFINE_ISOLATION_UNAVAILABLE',
  /** The guest process could not be set up. */
  'ERR_CONFINE_SETUP_FAILED',
  /** The guest process ended while somebody waited for it; `error.end` says how. */
  'ERR_CONFINE_GUEST_ENDED',
  /** The sandbox was torn down. */
  'ERR_CONFINE_TORN_DOWN',
  /** Neither `source` nor `sourcePath` was given. */
  'ERR_CONFINE_SOURCE_MISSING',
  /** The file at `sourcePath` cannot be read. */
  'ERR_CONFINE_SOURCE_UNREADABLE',
  /** The source has a syntax error or threw while it was loading. */
  'ERR_CONFINE_SOURCE_FAILED',
  /** No container with this cid is open. */
  'ERR_CONFINE_CONTAINER_NOT_FOUND',
  /** The container closed while somebody waited for it. */
  'ERR_CONFINE_CONTAINER_CLOSED',
  /** The guest process takes no further container. */
  'ERR_CONFINE_CONTAINER_LIMIT',
  /** No function of this name is exported. */
  'ERR_CONFINE_METHOD_NOT_FOUND',
  /** Guest code threw; `errorName`, `message`, `details` and `guestStack` are the guest's word. */
  'ERR_CONFINE_GUEST_THREW',
  /** A value cannot cross between host and guest; the message names its place. */
  'ERR_CONFINE_VALUE',
  /** The callback was released, or the side that gave it has closed its container. */
  'ERR_CONFINE_REVOKED',
  /** A bound of the call channel was reached. */
  'ERR_CONFINE_LIMIT',
  /** The other side broke the call protocol. */
  'ERR_CONFINE_PROTOCOL',
  /** The channel to the other side is closed. */
  'ERR_CONFINE_CHANNEL_CLOSED',
  /** The deadline passed. */
  'ERR_CONFINE_TIMEOUT',
  /** The caller's signal aborted. */
  'ERR_CONFINE_ABORTED',
] as const)

/** A stable error code; `errorCodes` lists them all. */
export type ErrorCode = (typeof errorCodes)[number]

/** What a ConfineError may carry beside its code and message. */
export interface ConfineErrorOptions {
  /** What caused this error. */
  cause?: unknown
  /** Further own fields, such as `end`, `cid` or `errorName`. Fields named like an Error's own are refused. */
  fields?: Readonly<Record<string, unknown>>
}

const brand = Symbol.for('confine-sandbox.error')
const reserved = new Set(['name', 'message', 'stack', 'cause', 'code'])

/**
 * The one error class of confine-sandbox. A program may hold two copies of it (ESM and CJS): match `code`,
 * or ask `ConfineError.is(error)`, instead of `instanceof`.
 */
export class ConfineError extends Error {
  /** Which failure this is. */
  readonly code: ErrorCode
  /** The class name that guest code gave to its error (ERR_CONFINE_GUEST_THREW, ERR_CONFINE_SOURCE_FAILED). */
  declare readonly errorName?: string
  /** The `code` that guest code gave to its error, when that was a string. */
  declare readonly errorCode?: string
  /** Own data of the guest's error (ERR_CONFINE_GUEST_THREW, ERR_CONFINE_SOURCE_FAILED). */
  declare readonly details?: unknown
  /** The guest's stack; its paths are the guest's. */
  declare readonly guestStack?: string
  /** How the guest process ended (ERR_CONFINE_GUEST_ENDED, ERR_CONFINE_SETUP_FAILED). */
  declare readonly end?: import('./end.ts').GuestEnd

  /** Which budget was used up: 'start', 'load', 'call' or 'idle' (ERR_CONFINE_TIMEOUT). */
  declare readonly budget?: string
  /** How long that was, milliseconds (ERR_CONFINE_TIMEOUT). */
  declare readonly timeoutMs?: number
  /** The container that is meant. */
  declare readonly cid?: number
  /** The function that was called. */
  declare readonly method?: string

  constructor(code: ErrorCode, message: string, options: ConfineErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    for (const [key, value] of Object.entries(options.fields ?? {})) {
      if (value === undefined || reserved.has(key)) continue
      Object.defineProperty(this, key, { value, enumerable: true, configurable: true, writable: true })
    }
  }

  /** Whether `value` is a ConfineError of any copy of this package. */
  static is(value: unknown): value is ConfineError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }
}

Object.defineProperty(ConfineError.prototype, 'name', { value: 'ConfineError', configurable: true, writable: true })
Object.defineProperty(ConfineError.prototype, brand, { value: true })
