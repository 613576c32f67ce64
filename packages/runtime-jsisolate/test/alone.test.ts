import { describe, expect, test } from 'vitest'
import JsIsolateConfineRuntime from '../src/index.ts'
import { rejection, start } from './start.ts'

// In a process for one container, the isolate is entered on the thread of the process. What the other files say holds there, too.

await JsIsolateConfineRuntime.prepare({ maxContainers: 1 })

describe('an isolate that is alone in its process', () => {
  test('answers calls, also at the same time, and errors', async () => {
    const { call } = await start(
      "exports.now = (n) => n + 1; exports.later = async (n) => n + 2; exports.no = () => { throw new RangeError('no') }",
    )
    expect(await Promise.all([call('now', 1), call('later', 1), call('now', 5)])).toEqual([2, 3, 6])
    expect(await rejection(call('no'))).toMatchObject({ name: 'RangeError', message: 'no' })
    expect((await rejection(call('missing'))).code).toBe(-1)
  })

  test('is not entered while it calls out', async () => {
    const order: string[] = []
    const host = (what: string) => {
      order.push(what)
      return call('inner', what)
    }
    const { call } = await start(
      `exports.inner = (what) => { log('inner ' + what); return what }
       exports.outer = async () => { const one = host('a'); log('still outer'); return [await one, await host('b')] }`,
      { globals: { host, log: (line: string) => void order.push(line) } },
    )
    expect(await call('outer')).toEqual(['a', 'b'])
    expect(order).toEqual(['a', 'still outer', 'inner a', 'b', 'inner b'])
  })

  test('ends where it calls process.exit, and where its memory ends', async () => {
    const exited = await start("exports.f = () => { try { process.exit(3) } finally { log('finally') } for (;;); }", {
      globals: { log: () => expect.unreachable() },
    })
    expect((await rejection(exited.call('f'))).code).toBe('ERR_CONFINE_CONTAINER_CLOSED')
    expect(exited.exitCodes).toEqual([3])
    const hungry = await start('exports.f = () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }', {
      memoryLimitMiB: 8,
    })
    expect((await rejection(hungry.call('f'))).code).toBe('ERR_CONFINE_CONTAINER_CLOSED')
    expect(hungry.exitCodes).toEqual([134])
  })

  test('runs timers, ES modules and imports at run time', async () => {
    const { call } = await start(
      `const { join } = await import('path')
       export const later = async () => { await new Promise((resolve) => setTimeout(resolve, 1)); return (await import('os')).EOL + join('/', 'a') }`,
      { env: 'nodejs', module: 'esm' },
    )
    expect(await Promise.all([call('later'), call('later')])).toEqual(['\n/a', '\n/a'])
  })

  test('gives its answer, and its failure in the background beside', async () => {
    const { call, errors } = await start("exports.f = () => { Promise.reject(new Error('behind')); return 1 }")
    expect(await call('f')).toBe(1)
    expect(errors.map(({ message }) => message)).toEqual(['behind'])
  })
})

// Each takes many entries, and needs V8's own tasks.
await import('./references.test.ts')
