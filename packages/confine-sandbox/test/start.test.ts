import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Sandbox } from '../src/index.ts'

// What users have: the tests' own resolution finds the sources.
const runtime = fileURLToPath(new URL('../../runtime-jseval/dist/index.cjs', import.meta.url))
const jseval = (options = {}) => new Sandbox({ runtime, ...options })

test.each([
  ['confined', {}],
  ['not confined', { noSandbox: true }],
])('a guest has loaded nothing of Node that a first call can do without, %s', async (_name, options) => {
  await using sandbox = jseval(options)
  const source = "exports.loaded = (names) => names.filter((name) => process.moduleLoadList.includes('NativeModule ' + name))"
  const { api } = await sandbox.execContainer({ source })
  const names = ['net', 'stream', 'v8', 'os', 'crypto', 'child_process', 'internal/fs/streams', 'worker_threads', 'fs']
  expect(await api.loaded(names)).toEqual(['fs'])
})

test.each([
  ['confined', {}],
  ['not confined', { noSandbox: true }],
])('its standard streams are what programs expect, %s', async (_name, options) => {
  await using sandbox = jseval(options)
  const source = `
    const { Readable, Writable } = require('stream')
    exports.kinds = () => [process.stdout, process.stderr].map((stream) => [
      stream instanceof Writable, stream.fd, stream.isTTY, stream.writable, stream.readable, stream === process.stdout || stream === process.stderr,
    ])
    exports.input = async () => {
      let text = ''
      for await (const chunk of process.stdin) text += chunk
      return [process.stdin instanceof Readable, process.stdin.fd, text, process.stdin === process.stdin]
    }
    exports.write = (length) => new Promise((resolve) => process.stdout.write('x'.repeat(length) + 'end', resolve))
    exports.end = () => new Promise((resolve) => { process.stdout.once('close', resolve); process.stdout.destroy() })
    exports.log = (text) => { console.log(text); console.error(text) }`
  const { api } = await sandbox.execContainer({ source })
  const kind = (fd: number) => [true, fd, undefined, true, false, true]
  expect(await api.kinds()).toEqual([kind(1), kind(2)])
  expect(await api.input()).toEqual([true, 0, '', true])
  let written = ''
  let complaints = ''
  sandbox.stdout.on('data', (chunk) => (written += chunk))
  sandbox.stderr.on('data', (chunk) => (complaints += chunk))
  // More than the socket holds.
  await api.write(3_000_000)
  await expect.poll(() => written.length).toBe(3_000_003)
  // Whoever closes it closes nothing.
  await api.end()
  await api.log('said')
  await expect.poll(() => written.slice(-5)).toBe('said\n')
  await expect.poll(() => complaints).toBe('said\n')
})
