import type { TemplateFacts } from '../create-runtime.ts'

/** The tests of a new runtime. */
export function conformanceTest({ packageName }: TemplateFacts): string {
  return `import { describe, it } from 'node:test'
import { testRuntime } from '@confine-sandbox/conformance'
import { resolveRuntime, Sandbox } from 'confine-sandbox'

const runtime = resolveRuntime('${packageName}', import.meta.url)

/** One small program for each thing that the suite looks at; RuntimePrograms of the kit says what each must export. */
const programs = {
  addOne: 'addOne: 1 +',
  counter: 'next: count 1 + =count count',
  fail: 'fail: 1 0 /',
  broken: ['this is no function', '1addOne: 1 +'],
  loop: 'loop: again',
  viaHost: 'viaHost: @host.addTwo',
  wait: ['wait: @host.wait'],
  failVia: 'failVia: @host.fail',
  echo: { program: 'echo:', values: [1.5, 'text', { list: [1, null] }] },
}

// The class in this process, and the package in a guest process that the operating system confines.
testRuntime(runtime, { programs, createSandbox: (options) => new Sandbox({ runtime, ...options }) }, { describe, it })
`
}
