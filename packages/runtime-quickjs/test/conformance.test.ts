import { javascriptPrograms, testRuntime } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import QuickJsConfineRuntime from '../src/index.ts'

const limits = { time: { computeLimitMs: 200 }, memory: { memoryLimitMiB: 2 } }

describe.each(['cjs', 'esm'] as const)('%s', (module) => {
  const programs = javascriptPrograms(module, { module })
  testRuntime(QuickJsConfineRuntime, { programs, limits, unknownNames: ['require', 'console.log'] }, { describe, it })
})
