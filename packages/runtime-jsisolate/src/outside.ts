import { addon } from './own-files.ts'
import type { HostError } from './inside/host-calls.ts'
import type { LoadedModule } from './inside/modules.ts'
import type { Outcome } from './inside/prelude.ts'
import type { ModuleSource } from './linked-modules.ts'

/** Why an isolate is gone. */
export type IsolateEnd = 'disposed' | 'memory'

/** What an isolate tells its owner. All of it is the program's word, except `ended`. */
export interface IsolateOwner {
  done(operationId: number, outcome: Outcome, value: unknown): void
  call(callId: number, index: number, args: unknown, operationId: unknown): void
  /** The program holds a function or stream of outside no more. */
  release(index: number): void
  arm(delayMs: number): void
  write(stream: 1 | 2, text: string): void
  log(level: unknown, args: unknown): void
  exit(code: number): void
  load(specifier: string, from: string): LoadedModule
  /** Finds the text of an imported module. */
  resolve(specifier: string, from: string): Promise<ModuleSource>
  /** The program wants a module by `import()`; without a name, one has arrived. */
  importModule(importId: number, specifier: unknown, from: unknown): void
  /** Answers a shim. */
  system(name: unknown, ...args: unknown[]): unknown
  /** What a program may know of an error that isolated-vm reported while it loaded a module. */
  describe(error: unknown): HostError
  /** Something failed of which no operation tells: a rejection that nobody handled, a timer's callback. */
  failed(error: unknown): void
  ended(end: IsolateEnd): void
}

/**
 * What an isolate can call of this process. It is made with the isolate, which may be before anybody owns that; nothing of a program runs in it
 * until then.
 */
export class Outside {
  /** Whose isolate it is. */
  owner: IsolateOwner | undefined

  /** Synchronous, all of them: a program that floods the outside waits for it. */
  callbacks() {
    // An error of the outside, with its stack, must never reach a program.
    const guarded = <Args extends unknown[], Result>(handler: (owner: IsolateOwner, ...args: Args) => Result) => {
      const call = (...args: Args): Result | undefined => {
        const { owner } = this
        if (owner === undefined) return undefined
        try {
          return handler(owner, ...args)
        } catch (error) {
          owner.failed(error)
          return undefined
        }
      }
      return new addon.Callback(call, { sync: true })
    }
    return {
      done: guarded((owner, id: number, outcome: Outcome, value: unknown) => owner.done(id, outcome, value)),
      call: guarded((owner, id: number, index: number, args: unknown, operationId: unknown) => owner.call(id, index, args, operationId)),
      release: guarded((owner, index: number) => owner.release(index)),
      arm: guarded((owner, delayMs: number) => owner.arm(delayMs)),
      write: guarded((owner, stream: 1 | 2, text: string) => owner.write(stream, text)),
      log: guarded((owner, level: unknown, args: unknown) => owner.log(level, args)),
      exit: guarded((owner, code: number) => owner.exit(code)),
      load: guarded((owner, specifier: string, from: string) => owner.load(specifier, from)),
      importModule: guarded((owner, id: number, specifier: unknown, from: unknown) => owner.importModule(id, specifier, from)),
      system: guarded((owner, name: unknown, ...args: unknown[]) => owner.system(name, ...args)),
      clone: new addon.Callback((value: unknown) => value, { sync: true }),
    }
  }
}
