import type { Packed } from './inside/pack.ts'
import { unpacker } from './inside/unpack.ts'

/** Reads what an isolate says that its program logged. @throws for what the prelude would not say. */
export function readLogged(level: unknown, packed: unknown): readonly [level: string, args: unknown[]] {
  const args = typeof packed === 'object' && packed !== null ? unpack(packed as Packed) : undefined
  if (!Array.isArray(args)) throw new TypeError('A line of the console is malformed')
  return [String(level), args]
}

function none(): never {
  throw new TypeError('A line of the console holds a function')
}

const unpack = unpacker({ callback: none, stream: none })
