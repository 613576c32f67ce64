import { type ErrorPayload, errorPayload, errorText } from '@confine-sandbox/ipc'

/** Where this process's own code stands: its frames say nothing to the author of a guest program. */
export type IsOwnFrame = (line: string) => boolean

/**
 * What the host is told of something that guest code threw: name, message, code, stack without this process's own frames,
 * cause, and `details` (the error's `details`, or else its other own fields). Never throws.
 */
export function thrownPayload(thrown: unknown, isOwnFrame: IsOwnFrame): ErrorPayload {
  const payload = errorPayload(thrown)
  if (typeof thrown !== 'object' || thrown === null) return { ...payload, details: thrown }
  const stack = errorText(thrown, 'stack')
  try {
    return {
      ...payload,
      stack: stack === undefined ? undefined : guestStack(stack, isOwnFrame),
      cause: (thrown as Error).cause,
      details: details(thrown as Record<string, unknown>),
    }
  } catch {
    return payload
  }
}

const errorFields = new Set(['name', 'message', 'stack', 'code', 'cause', 'details'])

function details(error: Record<string, unknown>): unknown {
  if (error.details !== undefined) return error.details
  const fields = Object.entries(error).filter(([key]) => !errorFields.has(key))
  // Those of an AggregateError are its own, and not enumerable.
  if (Array.isArray(error.errors) && !Object.hasOwn(Object.fromEntries(fields), 'errors')) fields.push(['errors', error.errors])
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

function guestStack(stack: string, isOwnFrame: IsOwnFrame): string {
  return stack
    .split('\n')
    .filter((line) => !/^\s+at /.test(line) || !isOwnFrame(line))
    .join('\n')
}
