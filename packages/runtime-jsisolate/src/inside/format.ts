/** Formats what a program logs, much as Node does. Runs inside the isolate: uses nothing but the language, and never throws. */
export function formatter() {
  const { apply, get, getOwnPropertyDescriptor, getPrototypeOf } = Reflect
  const { keys, is: isSame } = Object
  const { isArray } = Array
  const { isView } = ArrayBuffer
  const { join } = Array.prototype
  const { includes } = Array.prototype
  const { replace, slice } = String.prototype
  const { toString: tagOf } = Object.prototype
  const { toISOString } = Date.prototype
  const { toString: regExpText } = RegExp.prototype
  const mapEach = Map.prototype.forEach
  const setEach = Set.prototype.forEach
  const { stringify } = JSON
  const toText = String
  const toNumber = Number
  const parseWhole = parseInt
  const parseReal = parseFloat
  const directive = /%[sdifjoOc%]/g
  const simpleKey = /^[A-Za-z_$][\w$]*$/
  const { test } = RegExp.prototype
  const maxDepth = 3
  const maxItems = 100
  const maxWidth = 72

  function format(args: unknown[]): string {
    let next = 0
    const parts: string[] = []
    if (typeof args[0] === 'string' && args.length > 1) {
      next = 1
      parts[0] = apply(replace, args[0], [
        directive,
        (match: string) => {
          if (match === '%%') return '%'
          if (next >= args.length) return match
          return substitute(match, args[next++])
        },
      ]) as string
    }
    for (; next < args.length; next++) parts[parts.length] = typeof args[next] === 'string' ? (args[next] as string) : inspect(args[next])
    return apply(join, parts, [' ']) as string
  }

  function substitute(match: string, value: unknown): string {
    if (match === '%c') return ''
    if (match === '%s') return typeof value === 'string' ? value : inspect(value)
    if (match === '%j') return attempt(() => toText(stringify(value)), '[Circular]')
    if (match === '%o' || match === '%O') return inspect(value)
    if (typeof value === 'object' || typeof value === 'symbol') return 'NaN'
    return toText(match === '%d' ? toNumber(value) : match === '%i' ? parseWhole(toText(value), 10) : parseReal(toText(value)))
  }

  function inspect(value: unknown): string {
    return attempt(() => show(value, 0, []), '[object that cannot be shown]')
  }

  function show(value: any, depth: number, path: unknown[]): string {
    if (typeof value === 'string') return stringify(value)
    if (typeof value === 'bigint') return `${value}n`
    if (isSame(value, -0)) return '-0'
    if (typeof value === 'function') return attempt(() => `[Function: ${value.name || '(anonymous)'}]`, '[Function]')
    if (typeof value !== 'object' || value === null) return toText(value)
    if (apply(includes, path, [value])) return '[Circular]'
    const tag = apply(slice, apply(tagOf, value, []), [8, -1]) as string
    if (tag === 'Error' && typeof value.stack === 'string') return depth === 0 ? value.stack : `[${value.stack}]`
    if (tag === 'Date') return attempt(() => apply(toISOString, value, []) as string, 'Invalid Date')
    if (tag === 'RegExp') return attempt(() => apply(regExpText, value, []) as string, '[RegExp]')
    const name = className(value, tag)
    if (depth >= maxDepth) return `[${name === '' ? 'Object' : name}]`
    path[path.length] = value
    try {
      return showItems(value, tag, name, depth + 1, path)
    } finally {
      path.length--
    }
  }

  function showItems(value: any, tag: string, name: string, depth: number, path: unknown[]): string {
    const items: string[] = []
    const add = (item: string) => {
      if (items.length < maxItems) items[items.length] = item
    }
    if (isArray(value) || isView(value)) {
      const length = toNumber((value as unknown[]).length)
      for (let index = 0; index < length && index < maxItems; index++) add(show(get(value, index), depth, path))
      if (length > maxItems) items[maxItems] = `... ${length - maxItems} more items`
      return wrap(name === 'Array' ? '' : `${name}(${length}) `, '[', items, ']')
    }
    if (tag === 'Map')
      attempt(
        () => apply(mapEach, value, [(item: unknown, key: unknown) => add(`${show(key, depth, path)} => ${show(item, depth, path)}`)]),
        undefined,
      )
    if (tag === 'Set') attempt(() => apply(setEach, value, [(item: unknown) => add(show(item, depth, path))]), undefined)
    const names = keys(value)
    for (let index = 0; index < names.length && index < maxItems; index++) {
      const key = names[index]!
      const descriptor = getOwnPropertyDescriptor(value, key)
      const text = descriptor?.get !== undefined ? '[Getter]' : show(descriptor?.value, depth, path)
      add(`${apply(test, simpleKey, [key]) ? key : stringify(key)}: ${text}`)
    }
    return wrap(name === 'Object' ? '' : `${name} `, '{', items, '}')
  }

  function wrap(prefix: string, open: string, items: string[], close: string): string {
    if (items.length === 0) return `${prefix}${open}${close}`
    const line = apply(join, items, [', ']) as string
    if (line.length <= maxWidth) return `${prefix}${open} ${line} ${close}`
    const lines = apply(replace, apply(join, items, [',\n']), [/\n/g, '\n  ']) as string
    return `${prefix}${open}\n  ${lines}\n${close}`
  }

  function className(value: object, tag: string): string {
    const prototype = getPrototypeOf(value)
    if (prototype === null) return '[Object: null prototype]'
    const name = attempt(() => (prototype.constructor as Function).name, '')
    return typeof name === 'string' && name !== '' ? name : tag
  }

  function attempt<T>(act: () => T, otherwise: T): T {
    try {
      return act()
    } catch {
      return otherwise
    }
  }

  return { format, inspect }
}
