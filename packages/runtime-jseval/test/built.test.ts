import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { rejection } from './start.ts'

const run = promisify(execFile)
const built = fileURLToPath(new URL('../dist/index.cjs', import.meta.url))
const options = ['--experimental-vm-modules', '--no-warnings']

test('require gives the class, import gives it as the default', async () => {
  const required = createRequire(import.meta.url)(built)
  const imported = (await import(pathToFileURL(built.replace(/\.cjs$/, '.js')).href)) as { default: new (options: object) => any }
  for (const Runtime of [required, imported.default]) {
    const runtime = new Runtime({ source: 'module.exports.addOne = (num) => num + 1' })
    await runtime.init()
    await runtime.run()
    expect(await runtime.handleAPICall('addOne', [5])).toBe(6)
    await runtime.close()
  }
  expect(Object.keys(imported)).toEqual(['default'])
})

test('the one file that guests load names its errors as the others do', async () => {
  const Runtime = createRequire(import.meta.url)('../dist/guest.cjs') as new (options: object) => any
  const runtime = new Runtime({ source: 'exports.addOne = (num) => num + 1' })
  await runtime.run()
  expect(await rejection(runtime.handleAPICall('missing'))).toMatchObject({ name: 'MethodNotFound', code: -1 })
  await runtime.close()
})

test('nothing is opened once it is prepared', async () => {
  const child = fileURLToPath(new URL('children/locked.mjs', import.meta.url))
  const { stdout } = await run('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, ...options, child, built])
  expect(JSON.parse(stdout)).toEqual([
    1,
    'function',
    'ca97',
    true,
    '1,000',
    true,
    'function',
    'string',
    'MODULE_NOT_FOUND',
    'MODULE_NOT_FOUND',
    'MODULE_NOT_FOUND',
    'MODULE_NOT_FOUND',
    'string',
  ])
})

const program = (source: string, act: string) => `
  const Runtime = require(${JSON.stringify(built)})
  const runtime = new Runtime({ source: ${JSON.stringify(source)} })
  let ended = false
  runtime.on('closed', (code) => { ended = true; console.log('closed', code) })
  runtime.run().then(async () => { ${act} })`

test.each([
  ['throws in a timer', "setTimeout(() => { throw new Error('from the program') }, 1)"],
  ['rejects and nobody handles it', "Promise.reject(new Error('from the program'))"],
])('a program that %s is not hushed', async (_, source) => {
  const error = await rejection(run(process.execPath, ['-e', program(source, '')]))
  expect(error.code).toBe(1)
  expect(error.stderr).toContain('from the program')
})

const alive = "const wait = setInterval(() => { if (ended) { clearInterval(wait); console.log('alive') } }, 5)"

test.each([
  ['a timer', 'setTimeout(() => process.exit(3), 1)'],
  ['a promise', '(async () => { await null; process.exit(3) })()'],
  ['a callback', "require('fs').stat('/', () => process.exit(3))"],
])('an exit from %s does not end the process', async (_, source) => {
  const { stdout } = await run(process.execPath, ['-e', program(source, alive)])
  expect(stdout).toBe('closed 3\nalive\n')
})

test('an exit hides no other fault', async () => {
  const source = "(async () => { await null; process.exit(3) })(); Promise.reject(new Error('another'))"
  const error = await rejection(run(process.execPath, ['-e', program(source, '')]))
  expect(error.code).not.toBe(0)
  expect(error.stderr).toContain('another')
})

test('a closed container keeps no process alive', async () => {
  await run(process.execPath, ['-e', program('setInterval(() => {}, 1000); setTimeout(() => {}, 100000)', 'runtime.close()')], {
    timeout: 60_000,
  })
})
