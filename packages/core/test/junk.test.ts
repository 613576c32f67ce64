import { ConfineError } from '@confine-sandbox/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveRuntime, Sandbox } from '../src/index.ts'
import { fixture, sandbox } from './support.ts'

// A program's author makes mistakes, and some programs pass options on that somebody else chose. Whatever comes, the answer is an
// error with a code that names the option, before anything is started: no TypeError out of the depths, no crash, no guest.

const runtime = resolveRuntime(fixture('plain-runtime'))
const throwing = () => {
  throw new Error('of a getter')
}
const junk = fc.oneof(
  fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    maxDepth: 2,
  }),
  fc.constantFrom<unknown>(
    Symbol('s'),
    () => 1,
    1n,
    Object.create(null),
    Number.NaN,
    Infinity,
    -1,
    0.5,
    '\0',
    '',
    new Proxy({}, {}),
    [1n],
    [Object.create(null)],
    [Symbol('s')],
    { length: 2 },
    { toString: throwing },
    { cid: Object.create(null) },
    { signal: 5 },
    { signal: new AbortController().signal },
  ),
)
const names = [
  ...['globals', 'strace', 'logSpawn', 'pipeStdout', 'pipeStderr', 'onViolation', 'limits', 'policy', 'minIsolation', 'maxContainers'],
  ...['startTimeoutMs', 'timeoutMs', 'loadTimeoutMs', 'idleTimeoutMs', 'isolation', 'noSandbox', 'runtime'],
]

function expectConfineError(error: unknown, what: unknown): void {
  if (ConfineError.is(error)) return
  expect.fail(`no ConfineError for ${fc.stringify(what)}: ${(error as Error)?.stack ?? String(error)}`)
}

describe('whatever is given', () => {
  test.each(names)('as the option %s makes a sandbox, or an error with a code', (name) => {
    fc.assert(
      fc.property(junk, (value) => {
        const options = { runtime, noSandbox: true, [name]: value }
        try {
          expect(new Sandbox(options as never)).toBeInstanceOf(Sandbox)
        } catch (error) {
          expectConfineError(error, options)
        }
      }),
    )
  })

  test.each([
    ...['limits.memoryMiB', 'limits.lifeMs', 'limits.openFiles', 'policy.read', 'policy.write', 'policy.scratchMiB', 'policy.hardened'],
    ...[
      'minIsolation.files',
      'globals.f',
      'runtime.entry',
      'runtime.directories',
      'runtime.links',
      'runtime.nodeFlags',
      'runtime.maxContainers',
    ],
    ...['runtime.warmUp', 'runtime.threads', 'runtime.name'],
  ])('as %s makes a sandbox, or an error with a code', (path) => {
    const [group, name] = path.split('.') as [string, string]
    fc.assert(
      fc.property(junk, (value) => {
        const options = { runtime, noSandbox: true, [group]: { ...(group === 'runtime' ? runtime : {}), [name]: value } }
        try {
          expect(new Sandbox(options as never)).toBeInstanceOf(Sandbox)
        } catch (error) {
          expectConfineError(error, options)
        }
      }),
    )
  })

  test('as a runtime is resolved, or refused with a code', () => {
    fc.assert(
      fc.property(junk, junk, (name, from) => {
        try {
          resolveRuntime(name as never, from as never)
        } catch (error) {
          expectConfineError(error, [name, from])
        }
      }),
    )
  })

  test('as parameters of the calls of a sandbox without a guest is refused with a code', async () => {
    const sbx = sandbox()
    const calls: Record<string, (value: unknown) => Promise<unknown>> = {
      configContainer: (value) => sbx.configContainer(value as never),
      killContainer: (value) => sbx.killContainer(value as never),
      handleAPICall: (value) => sbx.handleAPICall(value as never, value as never, value as never, value as never),
    }
    await fc.assert(
      fc.asyncProperty(junk, fc.constantFrom(...Object.keys(calls)), async (value, name) => {
        const error = await calls[name]!(value).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expectConfineError(error, [name, value])
      }),
    )
    expect(sbx.guestProcess).toBeUndefined()
  })

  test('as parameters of the calls of a sandbox with a guest is answered, and its container lives on', async () => {
    const sbx = sandbox({ maxContainers: 1000 })
    const container = await sbx.execContainer({ source: 'exports.f = () => 1' })
    const { cid } = container
    const calls: Record<string, (value: unknown) => Promise<unknown>> = {
      'configContainer, whole': (value) => sbx.configContainer(value as never),
      'configContainer, opts': (value) => sbx.configContainer({ cid, opts: value }),
      killContainer: (value) => sbx.killContainer(value as never),
      'handleAPICall, cid': (value) => sbx.handleAPICall(value as never, 'f'),
      'handleAPICall, name': (value) => sbx.handleAPICall(cid, value as never),
      'handleAPICall, parameters': (value) => sbx.handleAPICall(cid, 'f', value as never),
      'handleAPICall, one parameter': (value) => sbx.handleAPICall(cid, 'f', [value]),
      'handleAPICall, options': (value) => sbx.handleAPICall(cid, 'f', [], value as never),
      call: (value) => container.call(value as never, value as never, value as never),
      describe: (value) => container.describe(value as never),
      usage: (value) => container.usage(value as never),
      init: (value) => sbx.init(value as never),
      listContainers: (value) => sbx.listContainers(value as never),
      execContainer: (value) => sbx.execContainer(value as never),
      'execContainer, source': (value) => sbx.execContainer({ source: value as never }),
      'execContainer, sourcePath': (value) => sbx.execContainer({ sourcePath: value as never }),
      'execContainer, an option': (value) => sbx.execContainer({ source: '', mine: value }),
      'execContainer, files': (value) => sbx.execContainer({ source: '', files: value as never }),
    }
    await fc.assert(
      fc.asyncProperty(junk, fc.constantFrom(...Object.keys(calls)), async (value, name) => {
        await calls[name]!(value).catch((error: unknown) => expectConfineError(error, [name, value]))
      }),
      { numRuns: 400 },
    )
    expect(await container.call('f')).toBe(1)
  })
})
