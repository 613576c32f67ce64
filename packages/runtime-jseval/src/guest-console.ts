import type { ConsoleLevel } from '@confine-sandbox/contract'

/**
 * The `console` of a program: Node's, which writes to stdout and stderr.
 * @param target The object to put its methods on.
 * @param logged is told what is logged, before it is written.
 */
export function guestConsole(target: object, logged: (level: ConsoleLevel, args: unknown[]) => void): object {
  for (const [name, member] of Object.entries(console)) {
    const level = levels.get(name)
    const value = level === undefined ? member : listened(member as Method, (args) => logged(level, args.slice(...kept(name))))
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true })
  }
  const assert = (condition: unknown, ...args: unknown[]) => {
    if (!condition) logged('error', ['Assertion failed', ...args])
    console.assert(Boolean(condition), ...(args as []))
  }
  return Object.defineProperty(target, 'assert', { value: assert, writable: true, configurable: true, enumerable: true })
}

type Method = (...args: unknown[]) => void

const levels: ReadonlyMap<string, ConsoleLevel> = new Map<string, ConsoleLevel>([
  ['debug', 'debug'],
  ['info', 'info'],
  ['log', 'log'],
  ['dir', 'log'],
  ['dirxml', 'log'],
  ['table', 'log'],
  ['group', 'log'],
  ['groupCollapsed', 'log'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['trace', 'trace'],
])

/** What follows the first argument of these is how to show it. */
function kept(name: string): [start: number, end?: number] {
  return name === 'dir' || name === 'table' ? [0, 1] : [0]
}

function listened(method: Method, tell: (args: unknown[]) => void): Method {
  const own = (...args: unknown[]) => {
    tell(args)
    method(...args)
  }
  return Object.defineProperty(own, 'name', { value: method.name, configurable: true })
}
