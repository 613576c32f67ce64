import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const built = fileURLToPath(new URL('../dist/index.cjs', import.meta.url))

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

test('nothing is opened once it is prepared', async () => {
  const child = fileURLToPath(new URL('children/locked.mjs', import.meta.url))
  const { stdout } = await run('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--no-node-snapshot', child, built])
  const reason = 'it was not gathered. Give the program as files, with a sourcePath or with roots, or bundle it into the source.'
  const work = [
    1,
    'given',
    true,
    '1,000',
    [
      ...['lodash', './other.js', '/etc/hosts'].map((name) => `Cannot load the module "${name}": ${reason}`),
      'Cannot load the module "read": the file /etc/hosts of the option cjs.requires cannot be read in a sandbox. Give { source } instead.',
    ],
  ]
  expect(JSON.parse(stdout)).toEqual([
    work,
    'ERR_CONFINE_CONTAINER_CLOSED',
    work,
    'ERR_CONFINE_CONTAINER_CLOSED',
    `Cannot load the module "./other.js": ${reason}`,
  ])
})

const program = (source: string, act: string) => `
  const Runtime = require(${JSON.stringify(built)})
  const runtime = new Runtime({ source: ${JSON.stringify(source)} })
  runtime.on('closed', (code) => console.log('closed', code))
  runtime.run().then(async () => { ${act} })`
const flags = ['--no-node-snapshot', '-e']

test('a fault in the background is shown, and the process goes on', async () => {
  const source = "setTimeout(() => { throw new Error('from the program') }, 1)"
  const { stdout, stderr } = await run(process.execPath, [...flags, program(source, "setTimeout(() => console.log('alive'), 20)")])
  expect(stderr).toContain('Uncaught Error: from the program\n    at /guest/main.js:1:')
  expect(stdout).toBe('alive\n')
})

test('an ended container keeps no process alive, and an idle one neither', async () => {
  await run(process.execPath, [...flags, program('setInterval(() => {}, 1000)', 'runtime.close()')], { timeout: 60_000 })
  await run(process.execPath, [...flags, program('setInterval(() => {}, 1000); setTimeout(() => process.exit(0), 5)', '')], {
    timeout: 60_000,
  })
  await run(process.execPath, [...flags, program('exports.a = 1', '')], { timeout: 60_000 })
  // Nor one that never returns, once the process is to end. What it says last is not much: V8 is taken down around a thread of its own.
  const looping = program('exports.loop = () => { for (;;); }', "runtime.handleAPICall('loop'); setTimeout(() => process.exit(0), 20)")
  const ended = await run(process.execPath, [...flags, looping], { timeout: 60_000 }).catch((error: { killed?: boolean }) => error)
  expect(ended).not.toMatchObject({ killed: true })
})
