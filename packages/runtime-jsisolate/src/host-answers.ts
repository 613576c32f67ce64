import { told } from './host-globals.ts'
import type { HostAnswer } from './inside/host-calls.ts'
import type { Packed } from './inside/pack.ts'
import type { Operations } from './operations.ts'
import type { OutsideReferences } from './references.ts'
import { reasonOf, uncopyable } from './uncopyable.ts'

/** What answering a program's calls needs of the runtime. */
export interface HostAnswersOwner {
  readonly references: OutsideReferences
  readonly operations: Operations
  /** Whether the isolate is there to take an answer. */
  isOpen(): boolean
  /** Hands an answer in. @throws when the value cannot be copied. */
  settle(callId: number, answer: HostAnswer): void
}

/** Answers the calls of a program to functions outside. */
export class HostAnswers {
  readonly #owner: HostAnswersOwner
  #answering = 0

  constructor(owner: HostAnswersOwner) {
    this.#owner = owner
  }

  /** Never rejects: the program is told what went wrong. @param operationId is what the program says that it calls for. */
  async answer(callId: number, index: number, packed: unknown, operationId: unknown): Promise<void> {
    // The prelude waits for fewer, so this is no call of the prelude's.
    if (this.#answering >= maxAnswering) return
    this.#answering++
    const { references, operations } = this.#owner
    const within = operations.within(operationId)
    let answer: HostAnswer
    let given: Packed | undefined
    try {
      const host = references.find(index)
      const args = references.unpack(packed)
      if (host === undefined || !Array.isArray(args) || args.length > maxParams) throw new TypeError('There is no such function')
      const value = await within(host, ...args)
      if (this.#owner.isOpen()) given = references.pack(value, 'result')
      answer = { value: given }
    } catch (thrown) {
      answer = { error: told(thrown) }
    }
    this.#answering--
    if (!this.#owner.isOpen()) return
    try {
      this.#owner.settle(callId, answer)
    } catch (error) {
      if (given !== undefined) references.undo(given)
      this.#owner.settle(callId, {
        error: told(uncopyable('The result cannot be copied into the isolate', reasonOf(error))),
      })
    }
  }
}

const maxAnswering = 20_000
// V8 ends the process over a list that says that it is longer.
const maxParams = 65_535
