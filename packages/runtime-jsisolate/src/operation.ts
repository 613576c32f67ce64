import { AsyncLocalStorage } from 'node:async_hooks'

/** What a program was asked to do. */
export interface Operation {
  resolve(value: unknown): void
  reject(error: Error): void
  readonly name: string
  /** Calls a function in the asynchronous context of the one who asked, so that it knows for whom the program calls it. */
  within<Args extends unknown[], Result>(run: (...args: Args) => Result, ...args: Args): Result
}

/** The context of code that nobody asked for. */
export const noContext: Operation['within'] = AsyncLocalStorage.snapshot()

/** The context of who asks now. */
export function contextNow(): Operation['within'] {
  return AsyncLocalStorage.snapshot()
}
