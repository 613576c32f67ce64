import { testIsolation } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import { linux } from '../src/linux.ts'

// On paper. packages/confine-sandbox/test/denials.test.ts has the attacks: they need a sandbox.
testIsolation(linux(), {}, { describe, it })
