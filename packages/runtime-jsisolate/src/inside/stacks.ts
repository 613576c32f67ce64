/**
 * Keeps this package out of stacks. Its own frames are left out of the text, and a program's own
 * `Error.prepareStackTrace` is given frames that do not give the function that runs in them, which may be one by which
 * the isolate calls out. Runs inside the isolate: uses nothing but the language.
 */
export function stacks(): void {
  const { apply, defineProperty, getPrototypeOf, ownKeys } = Reflect
  const { startsWith } = String.prototype
  const { toString: headOf } = Error.prototype
  const ErrorConstructor = Error
  const toText = String
  const { getFileName, getColumnNumber, methods } = siteMethods()
  const wrappers = new WeakSet<Function>()
  const { add, has } = WeakSet.prototype
  let inUse: Function = format

  defineProperty(ErrorConstructor, 'prepareStackTrace', {
    // V8 asks for it as a program would.
    get: () => inUse,
    set(value: unknown) {
      if (typeof value !== 'function') inUse = format
      // What a program read here it may put back.
      else inUse = value === format || apply(has, wrappers, [value]) ? value : wrap(value)
    },
    enumerable: false,
    configurable: false,
  })

  function wrap(chosen: Function): Function {
    const wrapper = (error: unknown, sites: object[]) => apply(chosen, ErrorConstructor, [error, hidden(sites)])
    apply(add, wrappers, [wrapper])
    return wrapper
  }

  function format(error: unknown, sites: object[]): string {
    let text = head(error)
    for (let index = 0; index < sites.length; index++) {
      if (!isOurs(sites[index]!)) text += `\n    at ${toText(sites[index])}`
    }
    return text
  }

  function head(error: unknown): string {
    try {
      return apply(headOf, error, []) as string
    } catch {
      return '<error>'
    }
  }

  /** The wrapper around a program stands in its file, before the first column. */
  function isOurs(site: object): boolean {
    const file: unknown = apply(getFileName, site, [])
    if (typeof file === 'string' && apply(startsWith, file, ['confine:'])) return true
    const column: unknown = apply(getColumnNumber, site, [])
    return typeof column === 'number' && column < 0
  }

  function hidden(sites: object[]): object[] {
    const copies: object[] = []
    let count = 0
    for (let index = 0; index < sites.length; index++) {
      if (isOurs(sites[index]!)) continue
      const copy = {}
      for (let at = 0; at < methods.length; at++) define(copy, methods[at]![0], () => apply(methods[at]![1], sites[index], []))
      define(copies, count++, copy)
    }
    return copies
  }

  /** The methods of a frame that answer with text and numbers. */
  function siteMethods() {
    ErrorConstructor.prepareStackTrace = (_, sites) => sites
    const sites = new ErrorConstructor().stack as unknown as object[]
    const prototype = getPrototypeOf(sites[0]!) as unknown as Record<string, Function>
    const found: [string, Function][] = []
    const names = ownKeys(prototype) as string[]
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!
      if (name !== 'constructor' && name !== 'getFunction' && name !== 'getThis') found[found.length] = [name, prototype[name]!]
    }
    return { getFileName: prototype.getFileName!, getColumnNumber: prototype.getColumnNumber!, methods: found }
  }

  function define(target: object, key: PropertyKey, value: unknown): void {
    defineProperty(target, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true } as PropertyDescriptor)
  }
}
