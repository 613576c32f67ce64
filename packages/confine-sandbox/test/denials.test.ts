import { testIsolation } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import { defaultIsolation, Sandbox } from '../src/index.ts'

const isolation = defaultIsolation()

testIsolation(
  isolation,
  { createSandbox: (options) => new Sandbox({ runtime: 'jseval-confine-runtime', isolation, ...options }), signal: 'SIGSYS' },
  { describe, it },
)
