import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfineError, MethodNotFound } from '@confine-sandbox/contract'
import { guestError } from './guest-error.ts'
import type { Packed } from './inside/pack.ts'
import type { Outcome } from './inside/prelude.ts'
import { readThrown } from './inside-word.ts'
import type { OutsideReferences } from './references.ts'
import { reasonOf, uncopyable } from './uncopyable.ts'

/** What a program was asked to do and has not answered yet. Its answers are looked up here by number. */
export class Operations {
  readonly #references: OutsideReferences
  readonly #waiting = new Map<number, Operation>()
  #lastId = 0

  constructor(references: OutsideReferences) {
    this.#references = references
  }

  /** Begins one; settles when the program has answered. @param name For errors. */
  begin(name: string, start: (id: number) => void): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, name, within: AsyncLocalStorage.snapshot() })
      try {
        start(id)
      } catch (error) {
        this.#waiting.delete(id)
        throw error
      }
    })
  }

  /** Begins one with parameters. @throws ERR_CONFINE_VALUE */
  beginWith(name: string, params: unknown[], start: (id: number, packed: Packed) => void): Promise<unknown> {
    return this.begin(name, (id) => {
      let packed: Packed | undefined
      try {
        packed = this.#references.pack(params, 'params')
        start(id, packed)
      } catch (error) {
        if (packed !== undefined) this.#references.undo(packed)
        if (ConfineError.is(error)) throw error
        const why = this.#references.whyNot(params, 'params') ?? reasonOf(error)
        throw uncopyable(`The parameters of ${name} cannot be copied into the isolate`, why)
      }
    })
  }

  /** Calls a function in the asynchronous context of the one who asked, so that it knows for whom the program calls it. */
  within(id: unknown): Within {
    return this.#waiting.get(id as number)?.within ?? noContext
  }

  /** The program has answered. */
  done(id: number, outcome: Outcome, value: unknown): void {
    const operation = this.#take(id)
    if (operation === undefined) return
    if (outcome === 'value') operation.resolve(this.#unpacked(value, operation.name))
    else if (outcome === 'missing') operation.reject(new MethodNotFound(`Method not found: ${operation.name}`))
    else if (outcome === 'thrown') operation.reject(guestError(readThrown(value)))
    else operation.reject(uncopyable(`The result of ${operation.name} cannot be copied out of the isolate`, String(value)))
  }

  /** One has failed without an answer of the program. */
  fail(id: number, error: Error): void {
    this.#take(id)?.reject(error)
  }

  /** Nothing is answered any more. @param makeError makes the error of each one that waits. */
  close(makeError: () => Error): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(makeError())
  }

  #take(id: number): Operation | undefined {
    const operation = this.#waiting.get(id)
    this.#waiting.delete(id)
    return operation
  }

  /** A rejected promise for what is malformed. */
  #unpacked(value: unknown, name: string): unknown {
    try {
      return this.#references.unpack(value)
    } catch (error) {
      return Promise.reject(new ConfineError('ERR_CONFINE_VALUE', `The result of ${name} cannot be copied: ${reasonOf(error)}`))
    }
  }
}

type Within = <Args extends unknown[], Result>(run: (...args: Args) => Result, ...args: Args) => Result

interface Operation {
  resolve(value: unknown): void
  reject(error: Error): void
  readonly name: string
  readonly within: Within
}

/** The context of code that nobody asked for. */
const noContext: Within = AsyncLocalStorage.snapshot()
