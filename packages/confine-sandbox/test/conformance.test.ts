import { javascriptPrograms, testRuntime } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import { resolveRuntime, Sandbox } from '../src/index.ts'

// The packages as they are built, each program in a confined guest process of its own.
describe.each(['jseval-confine-runtime', 'jsisolate-confine-runtime'])('%s', (name) => {
  const runtime = resolveRuntime(name, import.meta.url)
  const { addOne, counter, fail, broken, viaHost, failVia, echo, loop, grow } = javascriptPrograms('cjs')
  const programs = {
    addOne,
    counter,
    fail,
    broken: broken.slice(0, 1),
    viaHost,
    failVia,
    echo,
    loop,
    grow,
    exit: 'exports.exit = (code) => process.exit(code)',
  }
  testRuntime(runtime, { programs, createSandbox: (options) => new Sandbox({ runtime, ...options }) }, { describe, it })
})
