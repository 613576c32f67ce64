import { testRuntime } from '@confine-sandbox/conformance'
import { resolveRuntime, Sandbox } from 'confine-sandbox'
import { describe, expect, it, test } from 'vitest'
import { programs as all } from './programs.ts'
import { wat } from './wat.ts'

// The package as it is built, each program in a confined guest process of its own.
const runtime = resolveRuntime('wasm-confine-runtime', import.meta.url)
const programs = { ...all, broken: all.broken.slice(0, 1) }

testRuntime(runtime, { programs, createSandbox: (options) => new Sandbox({ runtime, ...options }) }, { describe, it })

test('a module that never returns is ended by the deadline of the call, with its process', async () => {
  await using sandbox = new Sandbox({ runtime })
  const container = await sandbox.execContainer({ source: all.loop })
  await expect(container.call('loop', [], { timeoutMs: 200 })).rejects.toMatchObject({ code: 'ERR_CONFINE_TIMEOUT' })
  await sandbox.whenGuestProcessClosed
  expect(sandbox.guestEnd).toMatchObject({ kind: 'timeout' })
})

test('a WASI program tells its exit code', async () => {
  await using sandbox = new Sandbox({ runtime })
  const source = wat(
    '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (func (export "_start") (call $exit (i32.const 7))))',
  )
  const container = await sandbox.execContainer({ source })
  expect(await container.closed).toEqual({ cid: container.cid, exitCode: 7 })
})
