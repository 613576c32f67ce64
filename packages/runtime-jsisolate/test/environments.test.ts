import { execFile } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { rejection, start } from './start.ts'

describe('vanilla', () => {
  test('has the language, console, timers, microtasks, structuredClone and process.exit', async () => {
    const { call } = await start(
      "exports.types = () => ['console', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'queueMicrotask', 'structuredClone', 'WebAssembly', 'Intl', 'global'].map((name) => typeof globalThis[name]); exports.process = () => Object.keys(process); exports.none = () => ['Buffer', 'fetch', 'SharedArrayBuffer'].map((name) => typeof globalThis[name])",
    )
    expect(await call('types')).not.toContain('undefined')
    expect(await call('process')).toEqual(['exitCode', 'exit'])
    expect(await call('none')).toEqual(['undefined', 'undefined', 'undefined'])
  })

  test('structuredClone clones', async () => {
    const { call } = await start(`exports.run = () => {
      const value = { map: new Map([[1, new Set([2])]]), date: new Date(5), error: new RangeError('r'), bytes: new Uint8Array([1]) }
      value.self = value
      const clone = structuredClone(value)
      return [clone !== value, clone.self === clone, clone.map.get(1).has(2), clone.date.getTime(), clone.error instanceof RangeError, clone.bytes instanceof Uint8Array]
    }; exports.bad = () => structuredClone(() => {})`)
    expect(await call('run')).toEqual([true, true, true, 5, true, true])
    expect(await rejection(call('bad'))).toBeInstanceOf(TypeError)
  })

  test('timers and microtasks keep their order', async () => {
    const { call } = await start(`exports.run = () => new Promise((done) => {
      const order = []
      setTimeout(() => { order.push('timer 1'); queueMicrotask(() => order.push('microtask of timer 1')) }, 1)
      setTimeout(() => order.push('timer 2'), 1)
      setTimeout(() => done(order), 20)
      queueMicrotask(() => order.push('microtask'))
      order.push('sync')
    })`)
    expect(await call('run')).toEqual(['sync', 'microtask', 'timer 1', 'microtask of timer 1', 'timer 2'])
  })
})

describe('nodejs', () => {
  const run = (source: string) => start(source, { env: 'nodejs' })

  test('process shows nothing of the one outside', async () => {
    process.env.CANARY = 'secret'
    const { call } = await run(
      'exports.get = () => [process.env, process.cwd(), process.argv, process.pid, process.platform, process.version, process.memoryUsage().rss, typeof process.hrtime.bigint(), process.exitCode]',
    )
    expect(await call('get')).toEqual([{}, '/', ['node', '/guest/main.js'], 1, 'linux', 'v24.0.0', 0, 'bigint', undefined])
    delete process.env.CANARY
  })

  test('nextTick passes its arguments', async () => {
    const { call } = await run('exports.run = () => new Promise((done) => process.nextTick((a, b) => done(a + b), 1, 2))')
    expect(await call('run')).toBe(3)
  })

  test.each([
    'path',
    'node:path',
    'path/posix',
    'events',
    'util',
    'node:util',
    'util/types',
    'process',
    'console',
    'timers',
    'timers/promises',
  ])('require gives %s', async (id) => {
    const { call } = await run(
      `exports.count = () => Object.keys(require('${id}')).length + typeof require('${id}'); exports.same = () => require('${id}') === require('${id}')`,
    )
    expect(await call('count')).toMatch(/^[1-9]\d*(object|function)$/)
    expect(await call('same')).toBe(true)
  })

  test.each([
    'fs',
    'node:fs',
    'net',
    'child_process',
    'http',
    'https',
    'tls',
    'dns',
    'worker_threads',
    'cluster',
    'dgram',
    'vm',
    'fs/promises',
  ])('of %s every use throws', async (id) => {
    const { call } = await run(
      `const module_ = require('${id}'); exports.members = () => Object.keys(module_); exports.use = (name) => module_[name]()`,
    )
    const members = await call('members')
    expect(members.length).toBeGreaterThan(0)
    expect(await rejection(call('use', members[0]))).toMatchObject({
      code: 'ERR_NOT_AVAILABLE',
      message: expect.stringContaining('is not available in this sandbox'),
    })
  })

  test('there are no others', async () => {
    expect(await rejection(run("require('node:nothing')"))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
    expect(await rejection(run("require('isolated-vm')"))).toMatchObject({ code: 'MODULE_NOT_FOUND' })
  })

  test('ES modules import them by name', async () => {
    const { call } = await start(
      "import EventEmitter, { once } from 'events'; import { join } from 'node:path'; import fs, { readFileSync } from 'fs'; export const get = () => [typeof EventEmitter, typeof once, join('a', '..', 'b'), typeof fs.writeFileSync]; export const use = () => readFileSync('/x')",
      { env: 'nodejs', module: 'esm' },
    )
    expect(await call('get')).toEqual(['function', 'function', 'b', 'function'])
    expect(await rejection(call('use'))).toMatchObject({ message: 'fs.readFileSync is not available in this sandbox' })
  })

  test('events', async () => {
    const { call } = await run(`
      const EventEmitter = require('events'), util = require('util')
      class Modern extends EventEmitter {}
      function Old() { EventEmitter.call(this) }
      util.inherits(Old, EventEmitter)
      exports.run = async () => {
        const seen = []
        const emitter = new Modern()
        emitter.on('x', (value) => seen.push(value)).once('x', (value) => seen.push('once ' + value)).prependListener('x', () => seen.push('first'))
        const returned = [emitter.emit('x', 1), emitter.emit('x', 2), emitter.emit('y')]
        const old = new Old()
        old.on('z', () => seen.push('old'))
        old.emit('z')
        const waited = EventEmitter.once(emitter, 'w')
        emitter.emit('w', 'a', 'b')
        let unhandled
        try { emitter.emit('error', new Error('nobody listens')) } catch (error) { unhandled = error.message }
        const listener = () => seen.push('never')
        emitter.on('v', listener).off('v', listener).emit('v')
        return { seen, returned, waited: await waited, unhandled, names: emitter.eventNames(), count: emitter.listenerCount('x'), isEmitter: old instanceof EventEmitter, same: EventEmitter.EventEmitter === EventEmitter }
      }`)
    expect(await call('run')).toEqual({
      seen: ['first', 1, 'once 1', 'first', 2, 'old'],
      returned: [true, true, false],
      waited: ['a', 'b'],
      unhandled: 'nobody listens',
      names: ['x'],
      count: 2,
      isEmitter: true,
      same: true,
    })
  })

  test('util', async () => {
    const { call } = await run(`
      const util = require('util')
      exports.run = async () => [
        util.format('%s %d %j', 'a', 1, { x: 1 }), util.inspect({ a: [1] }), await util.promisify((x, done) => setTimeout(done, 1, null, x * 2))(4),
        await util.promisify((done) => done(new Error('no')))().catch((error) => error.message),
        await new Promise((done) => util.callbackify(async (x) => x + 1)(1, (error, value) => done([error, value]))), util.types.isMap(new Map()), util.types.isDate({}),
      ]`)
    expect(await call('run')).toEqual(['a 1 {"x":1}', '{ a: [ 1 ] }', 8, 'no', [null, 2], true, false])
  })
})

test('console writes to the streams of the process', async () => {
  const source = `
    const Runtime = require(${JSON.stringify(new URL('../dist/index.cjs', import.meta.url).pathname)})
    const runtime = new Runtime({ source: "console.log('out', { a: 1 }); console.group('g'); console.info('in'); console.groupEnd(); console.warn('err %d', 5); console.assert(1 > 2, 'why')" })
    runtime.run().then(() => runtime.close())`
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve, reject) => {
    execFile(process.execPath, ['--no-node-snapshot', '-e', source], (error, stdout, stderr) =>
      error ? reject(error) : resolve({ stdout, stderr }),
    )
  })
  expect(stdout).toBe('out { a: 1 }\ng\n  in\n')
  expect(stderr).toBe('err 5\nAssertion failed why\n')
})
