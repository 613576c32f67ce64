import { type Attack, attacks, testIsolation } from '@confine-sandbox/conformance'
import { describe, expect, it } from 'vitest'
import { Sandbox } from '../src/index.ts'
import { isMac, macosBackend } from './macos-backend.ts'

/** What this backend does not promise, or what is no attack on a Mac. docs/macos.md */
const leftOut: Readonly<Record<string, string>> = {
  'list-root': 'the names in / can be listed: dyld ends every program that may not',
  'list-working-directory': 'the working directory can be listed, and is empty',
  'read-own-environment': 'there is no /proc',
  'change-user': 'a process may set the user that it is',
  'raise-priority': 'a process may change its own priority',
  'change-directory': 'to stand somewhere gives nothing to read there',
}

describe('the attacks that a Mac must withstand', () => {
  it('are all but those that are told not to be', () => {
    const ids: readonly string[] = attacks.map(({ id }: Attack) => id)
    expect(Object.keys(leftOut).filter((id) => !ids.includes(id))).toEqual([])
    expect(attacks.length - Object.keys(leftOut).length).toBeGreaterThan(15)
  })
})

// On another system the stand-in for sandbox-exec confines nothing: there the evaluator is asked about the same acts.
if (isMac) {
  const isolation = macosBackend('')
  testIsolation(
    isolation,
    {
      createSandbox: (options) => new Sandbox({ runtime: 'jseval-confine-runtime', isolation, ...options }),
      attacks: attacks.filter(({ id }) => !(id in leftOut)),
    },
    { describe, it },
  )
}
