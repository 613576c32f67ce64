import { enoughThreads } from '../src/limits.ts'
import { expect, test } from 'vitest'
import { checkOptions, defaultOptions } from '../src/options.ts'
import { resolveRuntime } from '../src/resolve-runtime.ts'
import { unconfined } from '../src/unconfined.ts'
import { fixture } from './support.ts'

const runtime = resolveRuntime(fixture('plain-runtime'))

test('defaults are filled in, also for undefined', () => {
  expect(checkOptions({ runtime, isolation: unconfined, strace: undefined })).toMatchObject(defaultOptions)
})

test('unknown options are left alone', () => {
  expect(checkOptions({ runtime, noSandbox: true, mine: 1 } as never)).toMatchObject({ mine: 1 })
})

test.each([
  ['no options', undefined, 'options'],
  ['no runtime', { noSandbox: true }, 'runtime'],
  ['a name in place of a runtime', { runtime: 'x', noSandbox: true }, 'runtime'],
  ['a string for a flag', { runtime, noSandbox: 'yes' }, 'noSandbox'],
  ['a number for a flag', { runtime, noSandbox: true, strace: 1 }, 'strace'],
  ['no isolation', { runtime }, 'isolation'],
  ['isolation that is none', { runtime, isolation: {} }, 'isolation'],
  ['an unknown reaction', { runtime, noSandbox: true, onViolation: 'log' }, 'onViolation'],
  ['no containers', { runtime, noSandbox: true, maxContainers: 0 }, 'maxContainers'],
  ['too little memory', { runtime, noSandbox: true, limits: { memoryMiB: 1 } }, 'limits.memoryMiB'],
  ['half a second', { runtime, noSandbox: true, limits: { cpuSeconds: 0.5 } }, 'limits.cpuSeconds'],
  ['too few descriptors', { runtime, noSandbox: true, limits: { openFiles: 8 } }, 'limits.openFiles'],
  ['more descriptors than can be held', { runtime, noSandbox: true, limits: { openFiles: 65_537 } }, 'from 32 to 65536'],
  ['a limit that is text', { runtime, noSandbox: true, limits: { lifeMs: '5' } }, 'limits.lifeMs'],
  ['an unknown limit', { runtime, noSandbox: true, limits: { memory: 5 } }, 'no limit memory'],
  ['limits that are none', { runtime, noSandbox: true, limits: 5 }, 'limits'],
  ['an unknown part', { runtime, noSandbox: true, minIsolation: { disks: 1 } }, 'minIsolation'],
  ['half a wall', { runtime, noSandbox: true, minIsolation: { files: 0.5 } }, 'minIsolation'],
  ['an endless deadline', { runtime, noSandbox: true, startTimeoutMs: Number.POSITIVE_INFINITY }, 'startTimeoutMs'],
])('%s is refused and named', (_name, options, named) => {
  expect(() => checkOptions(options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION', message: expect.stringContaining(named) }),
  )
})

test('limits and the bar have defaults, one by one; Infinity is no limit', () => {
  expect(checkOptions({ runtime, noSandbox: true })).toMatchObject({
    limits: { memoryMiB: 512, threads: 64, fileSizeMiB: 64, openFiles: 64 },
    policy: { read: [], write: [], scratchMiB: 0, hardened: false },
    minIsolation: { files: 2, privileges: 1 },
  })
  const { limits, minIsolation } = checkOptions({
    runtime,
    noSandbox: true,
    limits: { memoryMiB: Infinity, cpuSeconds: 3 },
    minIsolation: { files: 1 },
  })
  expect(limits).toEqual({ cpuSeconds: 3, threads: 64, outputMiBPerSecond: 64, fileSizeMiB: 64, openFiles: 64 })
  expect(minIsolation).toMatchObject({ files: 1, network: 2 })
})

test('a guest whose runtime starts threads stands back, unless something else is said', () => {
  const niceOf = (threads: boolean, limits?: object) =>
    checkOptions({ runtime: { ...runtime, threads }, noSandbox: true, limits }).limits.nice
  expect(niceOf(false)).toBeUndefined()
  expect(niceOf(true)).toBe(5)
  expect(niceOf(true, { nice: 0 })).toBe(0)
  expect(niceOf(true, { nice: Number.POSITIVE_INFINITY })).toBeUndefined()
  expect(niceOf(false, { nice: 19 })).toBe(19)
})

test('a runtime has the threads that it cannot do without, or is not launched', () => {
  const runtime = { name: 'many', leastThreads: 48 }
  const limits = { memoryMiB: 100, threads: 64 }
  expect(enoughThreads(limits, false, runtime, 10, 8)).toBe(limits)
  expect(enoughThreads(limits, false, runtime, 10, 64)).toEqual({ memoryMiB: 100, threads: 112 })
  expect(enoughThreads({ memoryMiB: 100 }, true, runtime, 10, 64)).toEqual({ memoryMiB: 100 })
  expect(enoughThreads({ threads: 16 }, true, runtime, 1, 8)).toEqual({ threads: 16 })
  expect(enoughThreads({ threads: 16 }, true, { name: 'one' }, 10, 8)).toEqual({ threads: 16 })
  expect(() => enoughThreads({ threads: 55 }, true, runtime, 10, 8)).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFINE_BAD_OPTION',
      message: expect.stringMatching(/limits.threads must be at least 56 for many.*it is 55/),
    }),
  )
})
