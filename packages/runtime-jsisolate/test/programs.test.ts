import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import JsIsolateConfineRuntime from '../src/index.ts'
import { rejection } from './start.ts'

/** What the original runtime's test programs do, each with the result that its users know. */
describe('programs', () => {
  test('console is the one that was given', async () => {
    expect((await run('hello.js')).calls).toEqual([
      ['log', 'hello, world'],
      ['error', 'hello, error'],
    ])
  })

  test('globals are nested', async () => {
    expect((await run('globals.js')).calls).toEqual([['log', 'hello world!'], ['error', 'hello', 'error!', 100], ['shallow'], ['deep']])
  })

  test('CommonJS requires files, and its exports are described and called', async () => {
    const { runtime, calls } = await run('cjs/index.js', {})
    expect(calls).toEqual([['log', 'add result:', 3]])
    expect(runtime.describeAPI()).toEqual({
      type: 'api',
      children: [
        { type: 'method', name: 'add' },
        { type: 'method', name: 'mult' },
        { type: 'object', name: 'arrays', children: [{ type: 'method', name: 'double' }] },
        { type: 'object', name: 'objects', children: [{ type: 'method', name: 'greet' }] },
      ],
    })
    expect(await runtime.handleAPICall('add', [3, 2, 10])).toBe(15)
    expect(await runtime.handleAPICall('mult', [3, 4, 2])).toBe(24)
    expect(await runtime.handleAPICall('arrays.double', [[1, 2, 3]])).toEqual([2, 4, 6])
    expect(await runtime.handleAPICall('objects.greet', [{ name: 'tester' }])).toEqual({ hello: 'tester and world' })
  })

  test('an ES module imports files, and its exports are described and called', async () => {
    const { runtime, calls } = await run('esm/index.mjs')
    expect(calls).toEqual([['log', 'add result:', 3]])
    expect(runtime.describeAPI().children).toEqual([
      { type: 'method', name: 'add' },
      { type: 'object', name: 'arrays', children: [{ type: 'method', name: 'double' }] },
      { type: 'method', name: 'default' },
      { type: 'method', name: 'mult' },
    ])
    expect(await runtime.handleAPICall('mult', [3, 4, 2])).toBe(24)
    expect(await runtime.handleAPICall('arrays.double', [[1, 2, 3]])).toEqual([2, 4, 6])
    expect(await runtime.handleAPICall('default', [{ name: 'tester' }])).toEqual({ hello: 'tester and world' })
  })

  test('imports can be disabled', async () => {
    expect(await rejection(run('esm/index.mjs', { esm: { disableImports: true } }))).toMatchObject({
      message: expect.stringContaining('imports are disabled'),
    })
  })

  test.each([
    ['a path', fileURLToPath(new URL('programs/other.js', import.meta.url))],
    ['a source', { source: "exports.hello = () => 'hello world'" }],
  ])('a required module is replaced by %s', async (_, other) => {
    const { runtime } = await run('hello.js', {
      source: "module.exports = require('other-module')",
      cjs: { requires: { 'other-module': other } },
    })
    expect(await runtime.handleAPICall('hello')).toBe('hello world')
  })

  test('an exit code', async () => {
    const { calls, exitCodes } = await run('nodejs/exit.js', { env: 'nodejs' })
    expect(calls).toEqual([['log', 'yo']])
    expect(exitCodes).toEqual([1])
  })

  test('no files', async () => {
    expect(await rejection(run('nodejs/fs.js', { env: 'nodejs' }))).toMatchObject({
      message: 'fs.readdirSync is not available in this sandbox',
    })
  })

  test('the path module', async () => {
    const { calls } = await run('nodejs/path.js', { env: 'nodejs' })
    expect(calls).toEqual([
      ['log', '/'],
      ['log', 'foo/bar'],
    ])
  })
})

async function run(program: string, options: JsIsolateConfineRuntime.Options = {}) {
  const calls: unknown[][] = []
  const exitCodes: unknown[] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args])
  const path = fileURLToPath(new URL(`programs/${program}`, import.meta.url))
  const globals = {
    console: { log: note('log'), error: note('error') },
    shallow: note('shallow'),
    very: { deeply: { nested: { one: note('deep') } } },
  }
  const runtime = new JsIsolateConfineRuntime({ source: readFileSync(path), path, globals, ...options })
  runtime.on('closed', (code) => exitCodes.push(code))
  await runtime.init()
  await runtime.run()
  return { runtime, calls, exitCodes }
}
