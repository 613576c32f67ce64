import { codec } from './inside/codec.ts'
import type { GlobalEntry } from './inside/prelude.ts'

/** A function of the host. */
export type HostFunction = (...args: unknown[]) => unknown

/** Splits the globals into a shape that crosses into the engine, and the functions that stay. */
export function hostGlobals(globals: Record<string, unknown>): { entries: GlobalEntry[]; functions: HostFunction[] } {
  const functions: HostFunction[] = []
  const entriesOf = (group: object, depth: number): GlobalEntry[] =>
    Object.entries(group).map(([name, value]): GlobalEntry => {
      if (typeof value === 'function') return { name, index: functions.push((...args) => Reflect.apply(value, group, args)) - 1 }
      if (depth < maxDepth && isGroup(value)) return { name, below: entriesOf(value, depth + 1) }
      return { name, value }
    })
  return { entries: entriesOf(globals, 1), functions }
}

const maxDepth = 16

function isGroup(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.values(value).some((item) => typeof item === 'function')
}

/** Calls a function of the host with what the program gave, and makes of its answer what the program may know. Never throws. */
export async function callHost(host: HostFunction | undefined, params: string): Promise<{ hasFailed: boolean; word: string }> {
  const { encode, decode } = codec()
  try {
    if (host === undefined) throw new TypeError('The host has no such function')
    const args: unknown = decode(params)
    if (!Array.isArray(args) || args.length > maxParams) throw new TypeError('The parameters are no list')
    return { hasFailed: false, word: encode(await host(...args)) }
  } catch (error) {
    return { hasFailed: true, word: encode(redacted(error)) }
  }
}

// Of any length, says the program, and V8 ends the process over a longer one.
const maxParams = 65_535

/** Name, message and code, and nothing of where the host has its files. */
function redacted(error: unknown): { name: string; message: string; code?: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { code } = error as { code?: unknown }
  return { name: String(error.name), message: String(error.message), ...(typeof code === 'string' ? { code } : {}) }
}
