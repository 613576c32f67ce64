import { getSystemErrorName } from 'node:util'
import type { Attempt } from './observations.ts'

/** Reads the lines of confine-probe. A line that is not as it should be is passed over: its attempt then is unknown. */
export function readAttempts(output: string): readonly Attempt[] {
  return output.split('\n').flatMap((line) => {
    const attempt = line === '' ? undefined : readAttempt(line)
    return attempt === undefined ? [] : [attempt]
  })
}

function readAttempt(line: string): Attempt | undefined {
  const { check, world, state, step, error, value } = parse(line)
  if (typeof check !== 'string' || typeof step !== 'string') return undefined
  if (!isOneOf(worlds, world) || !isOneOf(states, state)) return undefined
  if (typeof error !== 'number' || !Number.isInteger(error) || error < 0 || typeof value !== 'number') return undefined
  return { check, world, state, step, error: error === 0 ? '' : errorName(error), value }
}

const worlds = ['host', 'user', 'root'] as const
const states = ['works', 'failed', 'killed', 'late', 'untried'] as const

function isOneOf<T>(values: readonly T[], value: unknown): value is T {
  return (values as readonly unknown[]).includes(value)
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Node's word for 95 is the other one of its two names. */
function errorName(number: number): string {
  const name = getSystemErrorName(-number)
  return name === 'ENOTSUP' ? 'EOPNOTSUPP' : name
}
