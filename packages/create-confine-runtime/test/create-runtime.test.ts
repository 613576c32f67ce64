import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRuntime } from '../src/index.ts'

const execute = promisify(execFile)
const packages = fileURLToPath(new URL('../..', import.meta.url))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'confine-create-'))
  // A guest that root starts is somebody else, and reads its runtime.
  chmodSync(directory, 0o755)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('names the class after the package', () => {
  for (const [name, className] of [
    ['my-confine-runtime', 'MyConfineRuntime'],
    ['@me/lua.5_runtime', 'Lua5Runtime'],
    ['9lives', 'Runtime9lives'],
  ] as const) {
    const target = join(directory, name.replace('/', '-'))
    const created = createRuntime({ directory: target, name })
    expect(created).toMatchObject({ name, directory: target })
    for (const file of created.files) expect(existsSync(join(target, file))).toBe(true)
    expect(readFileSync(join(target, 'index.js'), 'utf8')).toContain(`export class ${className} extends`)
    expect(JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))).toMatchObject({
      name,
      dependencies: { '@confine-sandbox/contract': '*' },
    })
  }
})

test.each(['', 'My-Runtime', '../x', 'a b', '.hidden', '@/x', `'; process.exit() //`, 'a'.repeat(215), 'x\ny'])(
  'refuses the name %j',
  (name) => {
    expect(() => createRuntime({ directory: join(directory, 'x'), name })).toThrow(/cannot be the name of a package/)
    expect(existsSync(join(directory, 'x'))).toBe(false)
  },
)

test('touches nothing that is there already', () => {
  writeFileSync(join(directory, 'index.js'), 'mine')
  expect(() => createRuntime({ directory, name: 'mine' })).toThrow(/is there already, and is not empty/)
  expect(() => createRuntime({ directory: join(directory, 'index.js'), name: 'mine' })).toThrow(/is there already/)
  expect(readFileSync(join(directory, 'index.js'), 'utf8')).toBe('mine')
  mkdirSync(join(directory, 'empty'))
  expect(createRuntime({ directory: join(directory, 'empty') }).name).toBe('empty')
})

test('the new package passes its tests at once, and its types hold', async () => {
  const target = join(directory, 'my-confine-runtime')
  createRuntime({ directory: target })
  link(target, '@confine-sandbox/contract', 'contract')
  link(target, '@confine-sandbox/conformance', 'conformance')
  link(target, 'confine-sandbox', 'confine-sandbox')
  // Node tells the tests that it runs that they are such, and these are no part of ours.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  const { stdout } = await execute(process.execPath, ['--test', '--test-reporter=tap'], { cwd: target, env })
  expect(stdout).toMatch(/^# fail 0$/m)
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(60)
  expect(stdout).toContain('in a sandbox, it')

  const required = `const It = require('my-confine-runtime'); console.log(typeof It, It.name)`
  writeFileSync(join(target, 'use.cjs'), required)
  expect((await execute(process.execPath, ['use.cjs'], { cwd: target, env })).stdout).toBe('function MyConfineRuntime\n')

  const program = `import MyConfineRuntime from 'my-confine-runtime'\nexport const runtime = new MyConfineRuntime({ source: 'a: 1' })\n// @ts-expect-error: no such source\nnew MyConfineRuntime({ source: 5 })\n`
  writeFileSync(join(target, 'use.mts'), program)
  mkdirSync(join(target, 'node_modules/@types'))
  symlinkSync(join(packages, '../node_modules/@types/node'), join(target, 'node_modules/@types/node'))
  const options = ['--noEmit', '--strict', '--target', 'es2024', '--types', 'node', '--module', 'nodenext']
  await execute(join(packages, 'contract/node_modules/.bin/tsc'), [...options, 'use.mts'], { cwd: target })
})

function link(target: string, name: string, folder: string): void {
  const path = join(target, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(join(packages, folder), path)
}
