import type { HostError } from './inside/host-calls.ts'

/** An import that leads nowhere. */
export class ImportError extends Error {
  readonly code: string

  constructor({ name = 'Error', message, code, stack }: { name?: string; message: string; code: string; stack?: string }) {
    super(message)
    this.name = name
    this.code = code
    this.stack = stack ?? `${name}: ${message}`
  }
}

/** What a program is told of what went wrong while a module of its own was loaded. */
export function describeError(error: Error & { code?: unknown }): HostError {
  const { name, message, stack, code } = error
  return { name, message, ...(stack !== undefined && { stack }), ...(typeof code === 'string' && { code }) }
}
