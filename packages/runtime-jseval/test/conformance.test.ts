import { javascriptPrograms, testRuntime } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import JsEvalConfineRuntime from '../src/index.ts'

const codes = [
  ['', 0],
  ['3', 3],
  ["'4'", 4],
  ['256', 0],
  ['-1', 255],
  ['undefined', 0],
  ['null', 0],
] as const

const programs = {
  ...javascriptPrograms('cjs'),
  exit: 'exports.exit = (code) => process.exit(code)',
  exitAtOnce: codes.map(([argument, code]) => ({ program: `process.exit(${argument})`, code })),
}

testRuntime(JsEvalConfineRuntime, { programs, unknownNames: ['process.exit', 'require'] }, { describe, it })
