import { APIMethod, APIObject, type ApiChild } from '@confine-sandbox/contract'

/** A function and the object that it is called on. */
export interface Method {
  readonly owner: unknown
  readonly call: (...args: unknown[]) => unknown
}

/**
 * Finds an exported function by its dotted name. Each step takes an own property, or a member of a user-defined class;
 * what every object inherits from the language is not found. Getters run, and may throw.
 */
export function findMethod(root: unknown, name: string): Method | undefined {
  let owner = root
  let rest = name
  while (isObject(owner)) {
    // A key may hold dots itself, and wins, as the description gives it that name.
    let key = rest
    if (!hasMember(owner, key)) {
      const dot = rest.indexOf('.')
      if (dot === -1) return undefined
      key = rest.slice(0, dot)
      if (!hasMember(owner, key)) return undefined
    }
    const value: unknown = Reflect.get(owner, key)
    if (key.length === rest.length) return typeof value === 'function' ? { owner, call: value as Method['call'] } : undefined
    owner = value
    rest = rest.slice(key.length + 1)
  }
  return undefined
}

/** Describes the functions below `root`. What throws, repeats itself or lies too deep is left out. */
export function describe(root: unknown): ApiChild[] {
  const budget = { left: maxDescribed }
  return describeChildren(root, [], budget)
}

const maxDescribed = 10_000
const maxDepth = 16
const maxPrototypes = 16
const hidden = new Set(['constructor', '__proto__', 'prototype'])

function describeChildren(object: unknown, ancestors: unknown[], budget: { left: number }): ApiChild[] {
  const children: ApiChild[] = []
  if (!isObject(object) || ancestors.length >= maxDepth || ancestors.includes(object)) return children
  const path = [...ancestors, object]
  for (const key of memberNames(object)) {
    if (budget.left-- <= 0) break
    const value = attempt(() => Reflect.get(object, key))
    if (typeof value === 'function') children.push(new APIMethod(key))
    const below = describeChildren(value, path, budget)
    if (below.length > 0) children.push(new APIObject(key, below))
  }
  return children
}

function memberNames(object: object): Set<string> {
  const names = new Set<string>()
  for (const key of attempt(() => Object.keys(object)) ?? []) if (!hidden.has(key)) names.add(key)
  if (typeof object === 'function') return names
  for (const prototype of userPrototypes(object)) {
    for (const key of attempt(() => Object.getOwnPropertyNames(prototype)) ?? []) {
      if (attempt(() => hasMember(object, key))) names.add(key)
    }
  }
  return names
}

function hasMember(object: object, key: string): boolean {
  if (hidden.has(key)) return false
  if (Object.hasOwn(object, key)) return true
  for (const prototype of userPrototypes(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
    if (descriptor !== undefined) return !isBuiltin(descriptor.value)
  }
  return false
}

function* userPrototypes(object: object): Generator<object> {
  let prototype = attempt(() => Object.getPrototypeOf(object))
  for (let steps = 0; prototype !== null && prototype !== undefined && steps < maxPrototypes; steps++) {
    if (attempt(() => isBuiltinPrototype(prototype)) !== false) return
    yield prototype
    prototype = attempt(() => Object.getPrototypeOf(prototype))
  }
}

/** Of any realm: what the prototypes of the language have in common is a native constructor. */
function isBuiltinPrototype(prototype: object): boolean {
  const maker = Object.getOwnPropertyDescriptor(prototype, 'constructor')
  return maker !== undefined && (maker.get !== undefined || isBuiltin(maker.value))
}

function isBuiltin(value: unknown): boolean {
  return typeof value === 'function' && Function.prototype.toString.call(value).endsWith('{ [native code] }')
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
