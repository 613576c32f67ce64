import { javascriptPrograms, testRuntime } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import JsIsolateConfineRuntime from '../src/index.ts'

const codes = [
  ['', 0],
  ['3', 3],
  ["'4'", 4],
  ['256', 0],
  ['-1', 255],
  ['undefined', 0],
] as const

const limits = { memory: { memoryLimitMiB: 16 } }

describe.each(['cjs', 'esm'] as const)('%s', (module) => {
  const programs = {
    ...javascriptPrograms(module, { module }),
    exit: { module, source: `${module === 'cjs' ? 'exports.exit =' : 'export const exit ='} (code) => process.exit(code)` },
    exitAtOnce: codes.map(([argument, code]) => ({ program: { module, source: `process.exit(${argument})` }, code })),
  }
  testRuntime(JsIsolateConfineRuntime, { programs, limits, unknownNames: ['process.exit', 'require'] }, { describe, it })
})
