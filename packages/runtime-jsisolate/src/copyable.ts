import { types } from 'node:util'

/**
 * A value that can be copied into an isolate: the value itself, or, when errors are somewhere in it, a copy with errors
 * that have no stack of this process. V8 cannot copy an error whose stack was never read.
 */
export function copyable(value: unknown): unknown {
  return hasError(value, new Set()) ? copy(value, new Map()) : value
}

function hasError(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  if (types.isNativeError(value)) return true
  if (ArrayBuffer.isView(value)) return false
  seen.add(value)
  if (types.isMap(value)) {
    for (const [key, item] of value) if (hasError(key, seen) || hasError(item, seen)) return true
  } else if (types.isSet(value)) {
    for (const item of value) if (hasError(item, seen)) return true
  } else {
    for (const item of Object.values(value)) if (hasError(item, seen)) return true
  }
  return false
}

function copy(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  const keep = <T extends object>(made: T): T => {
    copies.set(value, made)
    return made
  }
  if (types.isNativeError(value)) {
    const error = keep(new Error(value.message))
    Object.defineProperty(error, 'name', { value: value.name })
    Object.defineProperty(error, 'stack', { value: `${value.name}: ${value.message}` })
    if (Object.hasOwn(value, 'cause')) Object.defineProperty(error, 'cause', { value: copy(value.cause, copies) })
    return error
  }
  if (types.isMap(value)) {
    const map = keep(new Map())
    for (const [key, item] of value) map.set(copy(key, copies), copy(item, copies))
    return map
  }
  if (types.isSet(value)) {
    const set = keep(new Set())
    for (const item of value) set.add(copy(item, copies))
    return set
  }
  if (Array.isArray(value)) {
    const list = keep(new Array<unknown>(value.length))
    for (const key of Object.keys(value)) list[Number(key)] = copy(value[Number(key)], copies)
    return list
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') return keep(value)
  const object = keep({})
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(object, key, { value: copy(item, copies), enumerable: true, configurable: true, writable: true })
  }
  return object
}
