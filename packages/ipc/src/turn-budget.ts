import { now } from './now.ts'

/**
 * How long one turn of the event loop may serve one stream. Node reads a stream that is never empty up to 32 times before
 * it looks at anything else: at full speed that is seconds of calls.
 */
export class TurnBudget {
  /** Time that was spent on what arrived in this turn, milliseconds; small change is carried over. */
  #busyMs = 0
  #beganAt = 0
  #isTimed = false
  #unseen = 0
  #looksForTurn = false
  #isOver = false
  readonly #readOn: () => void

  /** @param readOn is called in the next turn when this one was used up. */
  constructor(readOn: () => void) {
    this.#readOn = readOn
  }

  /** Whether this turn was used up: what is left waits for the next one. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** A chunk of so many bytes came. */
  begin(bytes: number): void {
    // One small message is soon served, and the system has no more behind it.
    this.#isTimed = bytes >= smallBytes
    if (this.#isTimed) this.#beganAt = now()
  }

  /** A message of it was served. The clock is looked at behind each that may have taken long. */
  look(messageBytes: number): void {
    if (!this.#isTimed || this.#isOver || (messageBytes < smallBytes && ++this.#unseen < messagesBetweenLooks)) return
    this.#unseen = 0
    if (this.#busyMs + now() - this.#beganAt <= maxTurnMs) return
    this.#isOver = true
    this.#lookForTurn()
  }

  /** The chunk is through. */
  end(): void {
    if (!this.#isTimed) return
    this.#busyMs += now() - this.#beganAt
    if (this.#busyMs > smallChangeMs) this.#lookForTurn()
  }

  #lookForTurn(): void {
    if (this.#looksForTurn) return
    this.#looksForTurn = true
    setImmediate(() => {
      this.#looksForTurn = false
      this.#busyMs = 0
      if (!this.#isOver) return
      this.#isOver = false
      this.#readOn()
    })
  }
}

const maxTurnMs = 20

/** To ask for the next turn costs as much as a seventh of a call: it is asked once this much was spent. */
const smallChangeMs = 1

/** A message of fewer bytes takes a few milliseconds at most to read, and the clock costs as much as a twentieth of a call. */
const smallBytes = 64
const messagesBetweenLooks = 4
