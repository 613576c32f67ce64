import { now } from './now.ts'

/**
 * How many times slower this machine is right now than the common one on which the bounds were set, 1 to 16: a known piece of
 * the same kind of work is done, and the best of some tries taken, so that a pause of this process says nothing. Some milliseconds.
 */
export function slowness(): number {
  let bestMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < tries; i++) {
    const start = now()
    knownWork()
    bestMs = Math.min(bestMs, now() - start)
  }
  return Math.min(Math.max(bestMs / commonMs, 1), slowest)
}

/** Objects, keys that nobody had before, strings and a map, as a message has them. */
function knownWork(): void {
  const bytes = Buffer.alloc(16, 'key of a value')
  const target: Record<string, unknown> = {}
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < 500; i++) {
    bytes.writeUInt16BE(0x4141 + i, 14)
    const key = bytes.toString('latin1')
    target[key] = [i, key]
    map.set(key, { value: target[key] })
  }
}

const tries = 8
/** What the known work takes on the common machine. */
const commonMs = 0.15
const slowest = 16
