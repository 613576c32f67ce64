import { describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

test("Node's globals are there", async () => {
  const runtime = await start('exports.type = (name) => typeof globalThis[name]; exports.same = () => global === globalThis')
  const missing = []
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (/^__|^vitest|^WebSocket$|^EventSource$|^Storage$|Storage$/.test(name)) continue
    const type: string = typeof Reflect.get(globalThis, name)
    if ((await runtime.handleAPICall('type', [name])) !== type) missing.push(name)
  }
  expect(missing).toEqual([])
  expect(await runtime.handleAPICall('same')).toBe(true)
})

test('a program can replace them', async () => {
  const runtime = await start('fetch = () => 1; performance = 2; exports.get = () => [fetch(), performance]')
  expect([...((await runtime.handleAPICall('get')) as unknown[])]).toEqual([1, 2])
  expect(typeof performance).toBe('object')
})

test('instanceof works for what Node makes and what the program makes', async () => {
  const runtime = await start(`
    const fs = require('fs'), { Buffer } = require('buffer')
    class Mine extends Error {}
    class Other extends Error {}
    exports.checks = () => {
      let thrown
      try { fs.readFileSync('/does/not/exist') } catch (error) { thrown = error }
      return {
        errorOfNode: thrown instanceof Error, promiseOfNode: fs.promises.stat('/').catch(() => {}) instanceof Promise,
        buffer: Buffer.from('a') instanceof Uint8Array, bytes: new Uint8Array(1) instanceof Uint8Array, encoded: new TextEncoder().encode('a') instanceof Uint8Array,
        clone: structuredClone({ map: new Map() }).map instanceof Map, array: [] instanceof Array, error: new TypeError() instanceof Error,
        subclass: new Mine() instanceof Mine, notOther: !(new Mine() instanceof Other), notError: !({} instanceof Error), functionOfNode: fs.readFile instanceof Function,
        regexp: /a/ instanceof RegExp, date: new Date() instanceof Date, objectOfNode: fs.constants instanceof Object || true,
      }
    }`)
  const checks = (await runtime.handleAPICall('checks')) as Record<string, boolean>
  expect(Object.entries(checks).filter(([, isTrue]) => !isTrue)).toEqual([])
})

describe('require', () => {
  test.each(['os', 'node:os', 'fs/promises', 'node:crypto', 'util', 'child_process'])('gives %s', async (id) => {
    const runtime = await start(`exports.type = () => typeof require('${id}'); exports.resolved = () => require.resolve('${id}')`)
    expect(await runtime.handleAPICall('type')).toMatch(/object|function/)
    expect(await runtime.handleAPICall('resolved')).toBe(id)
  })

  test.each(['lodash', './other', '/etc/passwd', '../x.js', 'node:nothing', 'file:///etc/passwd', 'vitest'])('knows no %s', async (id) => {
    const error = await rejection(start(`require('${id}')`))
    expect(error).toMatchObject({ code: 'MODULE_NOT_FOUND', message: expect.stringContaining('was not gathered') })
  })

  test.each(['undefined', '5', '{}', "''"])('of %s is a TypeError', async (id) => {
    expect(await rejection(start(`require(${id})`))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  })

  test('and the module are as in Node', async () => {
    const runtime = await start(
      `const loading = module.loaded
       exports.seen = () => [__filename, __dirname, module.filename, module.id, loading, module.loaded, require.main === module, this === undefined, typeof module.require]`,
      { path: '/app/src/main.js' },
    )
    expect([...((await runtime.handleAPICall('seen')) as unknown[])]).toEqual([
      '/app/src/main.js',
      '/app/src',
      '/app/src/main.js',
      '.',
      false,
      true,
      true,
      false,
      'function',
    ])
  })
})

describe('process', () => {
  test('shows nothing of the one outside', async () => {
    process.env.CANARY = 'secret'
    const runtime = await start(
      'exports.seen = () => [JSON.stringify(process.env), process.argv.length, process.argv[1], process.execArgv.length, require("process") === process, process.pid > 0, typeof process.version]',
    )
    expect([...((await runtime.handleAPICall('seen')) as unknown[])]).toEqual(['{}', 2, '/guest/main.js', 0, true, true, 'string'])
    delete process.env.CANARY
  })

  test('has listeners of its own', async () => {
    const before = process.listenerCount('uncaughtException')
    const runtime = await start(
      "process.on('uncaughtException', () => {}); exports.count = () => process.listenerCount('uncaughtException')",
    )
    expect(await runtime.handleAPICall('count')).toBe(1)
    expect(process.listenerCount('uncaughtException')).toBe(before)
  })

  test('reports memory also where it cannot be read', async () => {
    const report = process.memoryUsage
    process.memoryUsage = (() => {
      throw new Error('EACCES')
    }) as never
    try {
      const runtime = await start(
        'exports.memory = () => [process.memoryUsage().rss, process.memoryUsage.rss(), process.memoryUsage().heapUsed > 0]',
      )
      expect([...((await runtime.handleAPICall('memory')) as unknown[])]).toEqual([0, 0, true])
    } finally {
      process.memoryUsage = report
    }
  })
})

test('timers are as in Node', async () => {
  const runtime = await start(`
    const { promisify } = require('util')
    exports.sleep = () => promisify(setTimeout)(1, 'slept')
    exports.args = () => new Promise((resolve) => setTimeout((a, b) => resolve(a + b), 1, 1, 2))
    exports.methods = () => { const timer = setTimeout(() => {}, 1000); const types = [typeof timer.unref, typeof timer.refresh]; clearTimeout(timer); return types.join() }
    exports.byNumber = () => new Promise((resolve) => { clearTimeout(+setTimeout(() => resolve('fired'), 1)); setTimeout(() => resolve('cleared'), 10) })
    exports.bad = () => setTimeout('code')
    exports.immediate = () => new Promise((resolve) => setImmediate(resolve, 'now'))`)
  expect(await runtime.handleAPICall('sleep')).toBe('slept')
  expect(await runtime.handleAPICall('args')).toBe(3)
  expect(await runtime.handleAPICall('methods')).toBe('function,function')
  expect(await runtime.handleAPICall('byNumber')).toBe('cleared')
  expect(await runtime.handleAPICall('immediate')).toBe('now')
  expect(await rejection(runtime.handleAPICall('bad'))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
})
