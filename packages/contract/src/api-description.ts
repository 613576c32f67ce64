import type { ApiChild, ApiDescription } from './runtime.ts'

/**
 * Reads a description of exported functions as plain data. It comes from a runtime, and so from a program: what is no
 * description is left out, as is what lies deeper than 32 levels or comes after 20,000 names.
 */
export function readApiDescription(value: unknown): ApiDescription {
  return { type: 'api', children: readChildren(value, 1, { left: maxNames }) }
}

const maxDepth = 32
const maxNames = 20_000

function readChildren(value: unknown, depth: number, budget: { left: number }): ApiChild[] {
  const children: unknown = member(value, 'children')
  if (!Array.isArray(children) || depth > maxDepth) return []
  const read: ApiChild[] = []
  for (const child of children) {
    if (budget.left-- <= 0) break
    const name = member(child, 'name')
    if (typeof name !== 'string') continue
    if (member(child, 'type') === 'method') read.push({ type: 'method', name })
    else if (member(child, 'type') === 'object') read.push({ type: 'object', name, children: readChildren(child, depth + 1, budget) })
  }
  return read
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
