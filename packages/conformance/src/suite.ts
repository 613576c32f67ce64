import assert from 'node:assert/strict'

/**
 * The two functions of a test framework that the suites need. Those of vitest and of node:test fit as they are:
 * `import { describe, it } from 'vitest'` or `from 'node:test'`.
 */
export interface TestFramework {
  describe(name: string, body: () => void): unknown
  it(name: string, test: () => Promise<void> | void): unknown
}

/** How long a suite waits for a thing that comes at once when it comes at all, milliseconds. */
export const defaultPatienceMs = 20_000

/**
 * The value of a promise, or a failure that says what did not come: a subject that hangs fails with a reason.
 * @param what The thing that was waited for, as the subject of a sentence: `close()`.
 */
export async function within<T>(patienceMs: number, what: string, promise: PromiseLike<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `${what} did not settle within ${patienceMs} ms` })), patienceMs)
  })
  try {
    return await Promise.race([promise, tooLong])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What a promise is rejected with, as an Error; a failure when it is resolved, or rejected with anything else.
 * @param what The thing that should have failed: `a call of constructor`.
 */
export async function rejection(what: string, promise: PromiseLike<unknown>): Promise<Error & { code?: unknown }> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    assert.ok(error instanceof Error, `${what} was rejected with ${typeof error}, which is no Error`)
    return error
  }
  assert.fail(`${what} should have been rejected; it gave ${show(value)}`)
}

/** A value in a few words, for messages. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value)?.slice(0, 200) ?? 'an object'
  } catch {
    return 'an object'
  }
}
