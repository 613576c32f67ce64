import { type Attack, attacks, testIsolation } from '@confine-sandbox/conformance'
import { describe, expect, it } from 'vitest'
import { attackActs } from '../../isolation-macos/test/evaluator/attack-acts.ts'
import { Sandbox } from '../src/index.ts'
import { isMac, macosBackend } from './macos-backend.ts'

/** What this backend does not promise, or what is no attack on a Mac: docs/macos.md. */
const isPromised = ({ id }: Attack) => typeof attackActs[id] !== 'string'

describe('the attacks that a Mac must withstand', () => {
  it('are most of them', () => {
    expect(attacks.filter(isPromised).length).toBeGreaterThan(18)
  })
})

// On another system the stand-in for sandbox-exec confines nothing: there the evaluator is asked about the same acts.
if (isMac) {
  const isolation = macosBackend('')
  testIsolation(
    isolation,
    {
      createSandbox: (options) => new Sandbox({ runtime: 'jseval-confine-runtime', isolation, ...options }),
      attacks: attacks.filter(isPromised),
    },
    { describe, it },
  )
}
