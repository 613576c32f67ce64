import { APIMethod, APIObject, type ApiChild } from '@confine-sandbox/contract'
import type { Thrown } from './inside/thrown.ts'

// What an isolate says is a program's word, whatever the prelude promises: it is read as data of unknown shape.

const maxDepth = 10
const maxItems = 64
/** More than the prelude describes, with the objects that have nothing below them. */
const maxDescribed = 20_000

/** Reads facts about an error. */
export function readThrown(value: unknown, depth = 0): Thrown {
  const facts = record(value)
  return {
    name: typeof facts.name === 'string' ? facts.name : 'Error',
    message: typeof facts.message === 'string' ? facts.message : '',
    ...(typeof facts.stack === 'string' && { stack: facts.stack }),
    ...('cause' in facts && { cause: readNested(facts.cause, depth) }),
    ...(Array.isArray(facts.errors) && { errors: facts.errors.slice(0, maxItems).map((item) => readNested(item, depth)) }),
    fields: record(facts.fields),
  }
}

/** Reads a description of exported functions. */
export function readDescription(value: unknown, budget = { left: maxDescribed }, depth = 0): ApiChild[] {
  if (!Array.isArray(value) || depth > 2 * maxDepth) return []
  const described: ApiChild[] = []
  // As long as it says, and in circles.
  for (let index = 0; index < value.length && budget.left-- > 0; index++) {
    const { type, name, children } = record(value[index])
    if (typeof name !== 'string') continue
    if (type === 'method') described.push(new APIMethod(name))
    else if (type === 'object') described.push(new APIObject(name, readDescription(children, budget, depth + 1)))
  }
  return described
}

/** Reads a list of names. */
export function readNames(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, maxDescribed).filter((name) => typeof name === 'string') : []
}

function readNested(value: unknown, depth: number): { thrown: Thrown } | { value: unknown } {
  const item = record(value)
  return 'thrown' in item && depth < maxDepth ? { thrown: readThrown(item.thrown, depth + 1) } : { value: item.value }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
