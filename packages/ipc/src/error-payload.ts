import { ConfineError } from '@confine-sandbox/contract'

/** A failure as it crosses: data only. */
export interface ErrorPayload {
  /** The thrown error's `code`, when that was a string. */
  readonly code?: string | undefined
  /** Whether the error is one of ours, and `code` an ErrorCode; else some program threw it. */
  readonly isOurs?: boolean | undefined
  /** The thrown error's class name. */
  readonly name: string
  readonly message: string
  /** The guest's stack; the host never sends one. */
  readonly stack?: string | undefined
  /** The error's own further data, from the guest only. */
  readonly details?: unknown
  /** What caused it, from the guest only. */
  readonly cause?: unknown
}

/**
 * What is told of anything that was thrown: name, message and code. Never throws, whatever getters and proxies the thing
 * is made of.
 */
export function errorPayload(thrown: unknown): ErrorPayload {
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: 'Error', message: describeThrown(thrown) }
  }
  const error = thrown as Record<string, unknown>
  return {
    code: shortText(error, 'code'),
    name: shortText(error, 'name') ?? 'Error',
    message: shortText(error, 'message') ?? describeThrown(thrown),
    ...(isOurs(thrown) && { isOurs: true }),
  }
}

/** Long enough for any message. A host's error may quote what the guest sent, and must still cross. */
const maxTextLength = 64 * 1024

function shortText(object: object, key: string): string | undefined {
  const whole = text(object, key)
  return whole === undefined ? undefined : shorten(whole)
}

function shorten(whole: string): string {
  return whole.length <= maxTextLength ? whole : `${whole.slice(0, maxTextLength)}… (${whole.length} characters)`
}

/** A string member of anything, or undefined. Never throws. */
export function text(object: object, key: string): string | undefined {
  try {
    const value = (object as Record<string, unknown>)[key]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function isOurs(thrown: object): boolean {
  try {
    return ConfineError.is(thrown)
  } catch {
    return false
  }
}

function describeThrown(thrown: unknown): string {
  try {
    // The text of a function is source code: it stays here.
    const what = typeof thrown === 'object' ? 'an object' : typeof thrown === 'function' ? 'a function' : shorten(String(thrown))
    return `Something that is no error was thrown: ${what}`
  } catch {
    return 'Something that is no error was thrown'
  }
}
