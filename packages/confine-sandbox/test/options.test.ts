import { expect, test } from 'vitest'
import { Sandbox, SandboxPool } from '../src/index.ts'

test.each([
  ['jseval', 'did you mean jseval-confine-runtime?'],
  ['jsevel-confine-runtime', 'did you mean jseval-confine-runtime?'],
  ['js-isolate', 'did you mean jsisolate-confine-runtime?'],
  ['lua-confine-runtime', 'Run npm i lua-confine-runtime'],
])('a runtime named %s is not found, and nobody is told to install what was misspelt', (runtime, advice) => {
  expect(() => new Sandbox({ runtime })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_NOT_FOUND', message: expect.stringContaining(advice) }),
  )
})

test('an option that nobody reads is refused, by a pool too', () => {
  const refused = expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining('did you mean limits?') })
  const options = { runtime: 'jseval-confine-runtime', limit: { memoryMiB: 64 } }
  expect(() => new Sandbox(options)).toThrow(refused)
  expect(() => new SandboxPool(options)).toThrow(refused)
})
