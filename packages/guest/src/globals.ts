/**
 * Rebuilds the host's nested globals from dotted names. The host checked the names; no prototype is touched whatever
 * they are.
 */
export function buildGlobals(entries: Iterable<readonly [name: string, value: unknown]>): Record<string, unknown> {
  const globals: Record<string, unknown> = {}
  for (const [name, value] of entries) {
    const path = name.split('.')
    const last = path.pop() as string
    let target = globals
    for (const key of path) target = child(target, key)
    define(target, last, value)
  }
  return globals
}

function child(target: Record<string, unknown>, key: string): Record<string, unknown> {
  if (!Object.hasOwn(target, key)) define(target, key, {})
  return target[key] as Record<string, unknown>
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}
