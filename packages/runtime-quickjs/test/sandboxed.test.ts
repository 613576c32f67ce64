import { javascriptPrograms, testRuntime } from '@confine-sandbox/conformance'
import { resolveRuntime, Sandbox } from 'confine-sandbox'
import { describe, expect, it, test } from 'vitest'

// The package as it is built, each program in a confined guest process of its own.
const runtime = resolveRuntime('quickjs-confine-runtime', import.meta.url)
const { addOne, counter, fail, broken, viaHost, failVia, echo, loop, grow } = javascriptPrograms('cjs')
const programs = { addOne, counter, fail, broken: broken.slice(0, 1), viaHost, failVia, echo, loop, grow }

testRuntime(runtime, { programs, createSandbox: (options) => new Sandbox({ runtime, ...options }) }, { describe, it })

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
