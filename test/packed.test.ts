import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Consumer, createConsumer } from './consumer.ts'
import { readPackages, root } from './packages.ts'

const packages = readPackages()
const names = packages.map(({ manifest }) => manifest.name)
const runtimes = packages.filter(({ folder, isStub }) => folder.startsWith('runtime-') && !isStub).map(({ manifest }) => manifest.name)

let consumer: Consumer
beforeAll(async () => {
  consumer = await createConsumer()
})
afterAll(() => consumer?.remove())

test('every package can be imported', async () => {
  const source = names.map((name) => `await import('${name}')`).join('\n')
  await expect(consumer.run('import-all.mjs', source)).resolves.toBe('')
})

test('every package can be required', async () => {
  const source = names.map((name) => `require('${name}')`).join('\n')
  await expect(consumer.run('require-all.cjs', source)).resolves.toBe('')
})

test('ESM and CommonJS see the same names', async () => {
  const source = `
    import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    for (const name of ${JSON.stringify(names)}) {
      const [esm, cjs] = [await import(name), require(name)]
      if (typeof cjs === 'function') continue
      console.log(name, Object.keys(esm).sort().join() === Object.keys(cjs).sort().join())
    }`
  const lines = (await consumer.run('same-names.mjs', source)).trim().split('\n')
  expect(lines.filter((line) => !line.endsWith(' true'))).toEqual([])
})

test.each([
  ['readme.mjs', "import { Sandbox } from 'confine-sandbox'"],
  ['readme.cjs', "const { Sandbox } = require('confine-sandbox')"],
])('the first program of the README runs from the tarballs, confined: %s', async (fileName, firstLine) => {
  const [, program] = /^```js\n(.*?)^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8')) as unknown as [string, string]
  const [, ...lines] = program.split('\n')
  const source = [
    firstLine,
    ';(async () => {',
    ...lines,
    'console.log(sbx.guestExitSignal, sbx.isolation.layers.includes("seccomp-notify"))',
    '})()',
  ]
  await expect(consumer.run(fileName, source.join('\n'))).resolves.toBe('6\nSIGTERM true\n')
})

test.each(['nodenext', 'bundler'] as const)('Sandbox is typed as the specification says (%s)', async (moduleResolution) => {
  const source = `
    import { Sandbox, type SandboxConstructorOpts } from 'confine-sandbox'
    import type { ChildProcess } from 'node:child_process'
    import type { EventEmitter } from 'node:events'
    import type { Server } from 'node:net'
    declare const opts: SandboxConstructorOpts
    const sbx = new Sandbox({ ...opts, runtime: 'x', globals: { a: () => 1 }, strace: false, logSpawn: false, noSandbox: true, pipeStdout: false, pipeStderr: false })
    const emitter: Pick<EventEmitter, 'on' | 'once' | 'off' | 'emit'> = sbx as never
    const guestProcess: ChildProcess | undefined = sbx.guestProcess
    const ipcServer: Server | undefined = sbx.ipcServer
    const ports: (number | undefined)[] = [sbx.ipcServerPort, sbx.ipcClientPort]
    const closed: Promise<number> = sbx.whenGuestProcessClosed
    const globalsMap: Map<string, Function> = sbx.globalsMap
    const exitCode: number = sbx.guestExitCode
    const exitSignal: string = sbx.guestExitSignal
    const isActive: boolean = sbx.isGuestProcessActive
    const runtimePath: string = sbx.runtimePath
    const init: Promise<void> = sbx.init()
    const teardown: Promise<number> = sbx.teardown()
    const list: Promise<{ cid: number; opts?: any }[]> = sbx.listContainers()
    const exec: Promise<{ cid: number; opts?: any }> = sbx.execContainer({ source: 'x', sourcePath: '/x', env: 'nodejs' })
    const config: Promise<void> = sbx.configContainer({ cid: 1, opts: {} })
    const kill: Promise<void> = sbx.killContainer({ cid: 1 })
    const result: Promise<any> = sbx.handleAPICall(1, 'addOne', [5])
    sbx.on('container-closed', ({ cid, exitCode, error }) => [cid.toFixed(), exitCode?.toFixed(), error?.code])
    sbx.on('violation', ({ syscall, path }) => [syscall.length, path?.length])
    // @ts-expect-error: no such event
    sbx.on('no-such-event', () => {})
    export { emitter, guestProcess, ipcServer, ports, closed, globalsMap, exitCode, exitSignal, isActive, runtimePath, init, teardown, list, exec, config, kill, result }`
  await expect(consumer.typeCheck('sandbox.mts', source, moduleResolution)).resolves.toBe('')
})

describe.each(runtimes)('%s', (name) => {
  test('require gives the class itself, import gives it as the default', async () => {
    const required = await consumer.run('runtime.cjs', `console.log(String(require('${name}')).slice(0, 5))`)
    const imported = await consumer.run('runtime.mjs', `import It from '${name}'; console.log(String(It).slice(0, 5))`)
    expect([required, imported]).toEqual(['class\n', 'class\n'])
  })

  test('its class is a subclass of the AbstractConfineRuntime of npm', async () => {
    const source = `
      const { AbstractConfineRuntime } = require('abstract-confine-runtime')
      console.log(require('${name}').prototype instanceof AbstractConfineRuntime)`
    await expect(consumer.run('subclass.cjs', source)).resolves.toBe('true\n')
  })

  test.each(['nodenext', 'bundler'] as const)('its class is typed (%s)', async (moduleResolution) => {
    const source = `
      import It from '${name}'
      const runtime: { run(): Promise<unknown>; on(event: 'closed', listener: () => void): unknown } = new It({ source: '' })
      // @ts-expect-error: it is a class, not any
      It.noSuchMember
      export { runtime }`
    await expect(consumer.typeCheck('runtime.mts', source, moduleResolution)).resolves.toBe('')
  })

  test('its class is typed for CommonJS', async () => {
    const source = `import It = require('${name}')\nexport const runtime = new It({ source: '' })`
    await expect(consumer.typeCheck('runtime.cts', source, 'nodenext')).resolves.toBe('')
  })
})

test('npm create confine-runtime makes a package that passes its tests at once', async () => {
  await expect(consumer.run('create.mjs', createAndTest)).resolves.toMatch(/^# fail 0$/m)
})

/** Below the consumer, where a new package finds all that was installed. */
const createAndTest = `
  import { execFileSync } from 'node:child_process'
  import { chmodSync } from 'node:fs'
  // A guest that root starts is somebody else, and reads its runtime.
  chmodSync('.', 0o755)
  const { NODE_TEST_CONTEXT, NODE_OPTIONS, ...env } = process.env
  execFileSync('node_modules/.bin/create-confine-runtime', ['my-confine-runtime'], { env })
  console.log(execFileSync(process.execPath, ['--test', '--test-reporter=tap'], { cwd: 'my-confine-runtime', env, encoding: 'utf8' }))`

const importAll = names.map((name, index) => `import * as m${index} from '${name}'\nvoid m${index}`).join('\n')

test.each([
  ['import-all.mts', 'nodenext'],
  ['import-all.cts', 'nodenext'],
  ['import-all.mts', 'bundler'],
] as const)('the types of every package hold without skipLibCheck: %s, %s', async (fileName, moduleResolution) => {
  await expect(consumer.typeCheck(fileName, importAll, moduleResolution)).resolves.toBe('')
})

test('nothing in the tree but isolated-vm has an install script, and that one was not needed', () => {
  const lock = JSON.parse(readFileSync(join(consumer.directory, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  const scripted = Object.keys(lock.packages).filter((path) => lock.packages[path]?.hasInstallScript)
  expect(scripted).toEqual(['node_modules/isolated-vm'])
})
