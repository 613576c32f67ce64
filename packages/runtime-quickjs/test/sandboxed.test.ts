import { javascriptPrograms, testRuntime } from '@confine-sandbox/conformance'
import { resolveRuntime, Sandbox } from 'confine-sandbox'
import { describe, expect, it, test } from 'vitest'

// The package as it is built, each program in a confined guest process of its own.
const runtime = resolveRuntime('quickjs-confine-runtime', import.meta.url)
const { addOne, counter, fail, broken, viaHost, failVia, echo, loop, grow, sleep, modules } = javascriptPrograms('cjs')
const programs = { addOne, counter, fail, broken: broken.slice(0, 1), viaHost, failVia, echo, loop, grow, sleep }
const allModules = [...(modules ?? []), ...(javascriptPrograms('esm').modules ?? [])]

testRuntime(
  runtime,
  { programs: { ...programs, modules: allModules }, createSandbox: (options) => new Sandbox({ runtime, ...options }) },
  { describe, it },
)

test('many programs share a guest, and one that never rests ends alone', async () => {
  await using sandbox = new Sandbox({ runtime })
  const containers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      sandbox.execContainer({ source: `exports.get = () => ${index}; exports.loop = () => { for (;;); }`, computeLimitMs: 200 }),
    ),
  )
  await expect(containers[3]!.call('loop')).rejects.toMatchObject({ code: 'ERR_CONFINE_CONTAINER_CLOSED' })
  expect(await containers[3]!.closed).toEqual({ cid: 4, exitCode: 152 })
  expect(await containers[4]!.call('get')).toBe(4)
  expect(sandbox.isGuestProcessActive).toBe(true)
})

test('a hardened guest has no WebAssembly, and says so', async () => {
  await using sandbox = new Sandbox({ runtime, policy: { hardened: true } })
  await expect(sandbox.execContainer({ source: '' })).rejects.toMatchObject({
    code: 'ERR_CONFINE_RUNTIME_INVALID',
    message: expect.stringContaining('WebAssembly'),
  })
})

test('what was not gathered, and what is no TypeScript, fails where it is imported', async () => {
  await using sandbox = new Sandbox({ runtime })
  const program = await sandbox.execContainer({
    entry: 'main.mjs',
    files: {
      'main.mjs': `export const load = async (name) => await import('./' + name)
        export const fs = async () => await import('fs')
        export const lent = async () => [await import('confine:host').catch((error) => error.code), typeof globalThis['confine:host']]`,
      'enum.ts': 'let a = 1\nenum Kind { A }',
      'ok.ts': 'export const a: number = 1',
    },
  })
  await expect(program.call('load', ['missing.mjs'])).rejects.toMatchObject({
    errorCode: 'MODULE_NOT_FOUND',
    message: expect.stringContaining('gathered'),
  })
  await expect(program.call('fs')).rejects.toMatchObject({ errorCode: 'MODULE_NOT_FOUND' })
  await expect(program.call('load', ['enum.ts'])).rejects.toMatchObject({
    errorName: 'SyntaxError',
    guestStack: expect.stringContaining('enum.ts:2'),
  })
  expect(await program.call('lent')).toEqual(['MODULE_NOT_FOUND', 'undefined'])
  expect(await program.call('load', ['ok.ts'])).toEqual({ a: 1 })
})

test('what a timer throws is an event, and timers end with their container', async () => {
  await using sandbox = new Sandbox({ runtime, globals: { tick: () => void ticks++ } })
  let ticks = 0
  const failed = new Promise((resolve) => sandbox.on('container-runtime-error', resolve))
  const program = await sandbox.execContainer({
    source: 'setTimeout(() => { throw new RangeError("late") }, 1); setInterval(() => tick(), 1)',
  })
  expect(await failed).toMatchObject({ cid: program.cid, error: { errorName: 'RangeError', message: expect.stringContaining('late') } })
  await expect.poll(() => ticks).toBeGreaterThan(2)
  await program.close()
  const after = ticks
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(ticks).toBeLessThanOrEqual(after + 1)
})
