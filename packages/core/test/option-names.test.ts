import { expect, test } from 'vitest'
import { asCallOptions } from '../src/call-options.ts'
import { nearestName } from '../src/nearest-name.ts'
import { checkOptionNames } from '../src/option-names.ts'
import { resolveRuntime } from '../src/resolve-runtime.ts'
import { Sandbox } from '../src/sandbox.ts'
import { fixture } from './support.ts'

const runtime = resolveRuntime(fixture('plain-runtime'))

test.each([
  ['limit', 'There is no option "limit"; did you mean limits?'],
  ['timeout', 'There is no option "timeout"; did you mean timeoutMs?'],
  ['onviolation', 'did you mean onViolation?'],
  ['memoryMiB', 'it is one of limits, so write limits: { memoryMiB }'],
  ['memoryMB', 'did you mean limits: { memoryMiB }?'],
  ['read', 'it is one of policy, so write policy: { read }'],
  ['colour', 'there are runtime, globals, limits'],
  ['constructor', 'There is no option "constructor"'],
])('an option %s is refused, with what was probably meant', (name, message) => {
  const refused = expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining(message) })
  expect(() => checkOptionNames({ runtime, [name]: 1 })).toThrow(refused)
  expect(() => new Sandbox({ runtime, noSandbox: true, [name]: 1 })).toThrow(refused)
})

test('what is undefined is not given, and a subclass has options of its own', () => {
  class Mine extends Sandbox {}
  expect(new Sandbox({ runtime, noSandbox: true, limit: undefined } as never).opts.noSandbox).toBe(true)
  expect(new Mine({ runtime, noSandbox: true, mine: 1 } as never).opts).toMatchObject({ mine: 1 })
})

test.each([
  [{ timeout: 5 }, 'There is no option "timeout" of a call; did you mean timeoutMs?'],
  [{ signal: undefined, retries: 2 }, 'There is no option "retries" of a call; there are timeoutMs, signal'],
])('a call refuses %o', (options, message) => {
  expect(() => asCallOptions(options)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message }))
})

test('a name is near when its case, its ending or two letters are wrong', () => {
  const names = ['timeoutMs', 'read', 'idleTimeoutMs']
  expect(
    ['TIMEOUTMS', 'timout', 'timeoutSec', 'raed', 'rd', 'idleTimeout', 'x'.repeat(100_000)].map((name) => nearestName(name, names)),
  ).toEqual(['timeoutMs', undefined, undefined, 'read', undefined, 'idleTimeoutMs', undefined])
})
