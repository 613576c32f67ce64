import { GuestIsolate } from './guest-isolate.ts'
import type { NewIsolates } from './new-isolates.ts'
import type { IsolateOwner } from './outside.ts'

/**
 * Runs a program of our own through, so that isolates made from now on find compiled what V8 compiles when it is first
 * called: half of what a new one costs. Once per process, and only there where more than one is made.
 */
export function train(isolates: NewIsolates): void {
  const made = isolates.make(smallestLimitMiB)
  const guest = new GuestIsolate(made, { path, env: 'vanilla', globals }, nobody, true)
  guest.runCommonJs(1, { path, text: program }, () => {})
  guest.call(2, 'add', { value: [1, 2] })
  guest.call(3, 'addLater', { value: [1, 2] })
  isolates.learn(made.isolate)
  guest.dispose()
}

const smallestLimitMiB = 8
const path = '/guest/main.js'
const program = 'exports.add = (a, b) => a + b\nexports.addLater = async (a, b) => a + b'
const globals = { kind: 'object', children: [['call', { kind: 'function', index: 0 }]] } as const

/** Has no program to listen to. */
const nobody = new Proxy({} as IsolateOwner, { get: () => () => {} })
