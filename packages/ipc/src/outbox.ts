import { frameHeaderBytes, writeFrameHeader } from './frame.ts'

/** Short messages that leave together: one copy of each is cheaper than one write of each. */
export class Outbox {
  #memory = Buffer.allocUnsafeSlow(firstBytes)
  #length = 0
  #messages = 0

  /** How many bytes wait, headers included. */
  get length(): number {
    return this.#length
  }

  /** How many messages wait. */
  get messages(): number {
    return this.#messages
  }

  /** Where they wait, from its start: as long as nothing is added. */
  get memory(): Buffer {
    return this.#memory
  }

  /** Whether a message of so many bytes can be added. */
  hasRoomFor(bytes: number): boolean {
    return this.#length + frameHeaderBytes + bytes <= outboxBytes
  }

  /** Adds a message: the first bytes of `memory`. There must be room for it. */
  add(memory: Buffer, length: number): void {
    const start = this.#length + frameHeaderBytes
    const end = start + length
    if (end > this.#memory.length) this.#grow(end)
    const own = this.#memory
    writeFrameHeader(own, this.#length, length)
    if (length < copyByHandBelow) for (let i = 0; i < length; i++) own[start + i] = memory[i] as number
    else memory.copy(own, start, 0, length)
    this.#length = end
    this.#messages++
  }

  /** What waits has left, or nobody wants it any more. */
  clear(): void {
    this.#length = 0
    this.#messages = 0
  }

  /** The memory in which it waits is somebody else's from now on. */
  giveUp(): void {
    this.#memory = Buffer.allocUnsafeSlow(firstBytes)
    this.clear()
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(outboxBytes, Math.max(needed, this.#memory.length * 2)))
    this.#memory.copy(larger, 0, 0, this.#length)
    this.#memory = larger
  }
}

/** Up to here one copy is cheaper than one write per message. */
const outboxBytes = 64 * 1024

const firstBytes = 4 * 1024

/** Below this length a loop beats the call into C++. */
const copyByHandBelow = 64
