import { describeError } from './import-error.ts'
import type { HostError } from './inside/host-calls.ts'

/** The part of an isolate that imports at run time need. */
export interface ImportingIsolate {
  importModule(importId: number, specifier: string, from: string, ran: () => void): void
  failImport(importId: number, facts: HostError): void
}

/** The imports of a program that are under way. Each is the program's word, and costs memory out here. */
export class ProgramImports {
  readonly #states = new Map<number, 'loading' | 'awaiting'>()

  /** Starts one; without a name, it has arrived or failed. */
  take(isolate: ImportingIsolate, importId: number, specifier: unknown, from: unknown): void {
    if (specifier === undefined) {
      this.#states.delete(importId)
      return
    }
    if (this.#states.size >= maxImports) {
      isolate.failImport(importId, { name: 'Error', message: `${maxImports} imports are waiting`, code: 'ERR_CONFINE_LIMIT' })
      return
    }
    this.#states.set(importId, 'loading')
    isolate.importModule(importId, String(specifier), String(from), () => {
      if (this.#states.has(importId)) this.#states.set(importId, 'awaiting')
    })
  }

  /**
   * A module that awaits at its top level fails as a rejection that nobody handles; which one it was cannot be told from
   * the others that await. @returns whether there was any.
   */
  fail(isolate: ImportingIsolate | undefined, error: Error): boolean {
    const awaiting = [...this.#states].filter(([, state]) => state === 'awaiting')
    for (const [id] of awaiting) {
      this.#states.delete(id)
      isolate?.failImport(id, describeError(error))
    }
    return awaiting.length > 0
  }
}

const maxImports = 1000
