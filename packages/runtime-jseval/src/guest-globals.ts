import { ConfineError } from '@confine-sandbox/contract'
import type { Realm } from './realm.ts'

/**
 * Puts what the program may call on its global object. A `console` among it replaces single methods of the program's console.
 * @param call calls one of the given functions for the program.
 * @throws ERR_CONFINE_BAD_OPTION for a name that cannot be a global, and for an object that contains itself.
 */
export function defineGlobals(
  realm: Realm,
  globals: Record<string, unknown>,
  call: (host: (...args: unknown[]) => unknown, args: unknown[]) => unknown,
): void {
  const { tools } = realm
  for (const [name, value] of Object.entries(globals)) {
    if (name === 'console' && value === undefined) continue
    if (name === 'console' && isTree(value)) extendConsole(value)
    else define(realm.global, name, convert(value, name, []), name)
  }

  function extendConsole(methods: object): void {
    const guestConsole = Object.assign(tools.object(), realm.global.console)
    for (const [name, method] of Object.entries(methods)) {
      const converted = convert(method, `console.${name}`, [])
      // Nobody awaits console.log, so its failure must not end the program.
      define(guestConsole, name, typeof method === 'function' ? tools.quiet(converted as never) : converted, `console.${name}`)
    }
    define(realm.global, 'console', guestConsole, 'console')
  }

  function convert(value: unknown, name: string, parents: object[]): unknown {
    if (typeof value === 'function') {
      const host = value as (...args: unknown[]) => unknown
      return tools.hostFunction(name.slice(name.lastIndexOf('.') + 1), (args) => call(host, args))
    }
    if (!isTree(value)) return tools.adopt(value)
    if (parents.includes(value)) throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option globals contains itself at ${name}.`)
    const object = tools.object()
    for (const [key, item] of Object.entries(value))
      define(object, key, convert(item, `${name}.${key}`, [...parents, value]), `${name}.${key}`)
    return object
  }
}

function define(target: object, key: string, value: unknown, name: string): void {
  if (Reflect.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })) return
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The option globals cannot define ${name}.`)
}

function isTree(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]'
}
