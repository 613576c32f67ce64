import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { resolveRuntime } from '../src/resolve-runtime.ts'
import { fixture } from './support.ts'

function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-test-')))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

function writePackage(directory: string, json: object): string {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify(json))
  writeFileSync(join(directory, 'index.js'), '')
  return directory
}

test('a path, a file: URL and a URL object name the same runtime', () => {
  const path = fixture('plain-runtime/index.cjs')
  const descriptor = resolveRuntime(path)
  expect(descriptor).toMatchObject({
    name: path,
    entry: path,
    maxContainers: 3,
    threads: false,
    nodeFlags: [],
    warmUp: fixture('plain-runtime/warm-up.cjs'),
  })
  for (const name of [pathToFileURL(path), String(pathToFileURL(path))]) {
    expect(resolveRuntime(name)).toEqual(descriptor)
  }
})

test('a package is found from the first place that has it, with its whole flat tree of dependencies', () => {
  const root = temporaryDirectory()
  const modules = join(root, 'node_modules')
  writePackage(join(modules, 'rt'), { name: 'rt', dependencies: { a: '1', missing: '1' }, optionalDependencies: { '@s/b': '1' } })
  writePackage(join(modules, 'a'), { name: 'a', dependencies: { nested: '1', rt: '1' } })
  writePackage(join(modules, 'a/node_modules/nested'), { name: 'nested' })
  writePackage(join(modules, '@s/b'), { name: '@s/b' })
  writePackage(join(modules, 'unrelated'), { name: 'unrelated' })
  const descriptor = resolveRuntime('rt', [join(temporaryDirectory(), 'x.js'), pathToFileURL(join(root, 'x.js'))])
  expect(descriptor.entry).toBe(join(modules, 'rt/index.js'))
  expect([...descriptor.directories].sort()).toEqual(['@s/b', 'a', 'rt'].map((name) => join(modules, name)).sort())
  expect(descriptor.links).toEqual([])
})

test('links between packages, as pnpm makes them, are told', () => {
  const root = temporaryDirectory()
  const store = join(root, 'node_modules/.pnpm')
  writePackage(join(store, 'rt@1/node_modules/rt'), { name: 'rt', dependencies: { a: '1' } })
  writePackage(join(store, 'a@1/node_modules/a'), { name: 'a' })
  symlinkSync('../../a@1/node_modules/a', join(store, 'rt@1/node_modules/a'))
  symlinkSync('.pnpm/rt@1/node_modules/rt', join(root, 'node_modules/rt'))
  const descriptor = resolveRuntime('rt', join(root, 'x.js'))
  expect(descriptor.entry).toBe(join(store, 'rt@1/node_modules/rt/index.js'))
  expect(descriptor.directories).toEqual([join(store, 'rt@1/node_modules/rt'), join(store, 'a@1/node_modules/a')])
  expect(descriptor.links).toEqual([{ path: join(store, 'rt@1/node_modules/a'), target: join(store, 'a@1/node_modules/a') }])
})

test('a package that can only be imported is found', () => {
  const root = temporaryDirectory()
  const directory = writePackage(join(root, 'node_modules/esm'), {
    name: 'esm',
    exports: { '.': { import: { types: './index.d.ts', default: './index.js' } } },
  })
  expect(resolveRuntime('esm', join(root, 'x.js')).entry).toBe(join(directory, 'index.js'))
})

test('a runtime that is nowhere says where it was looked for and what to do', () => {
  const place = join(temporaryDirectory(), 'x.js')
  expect(() => resolveRuntime('no-such-runtime', place)).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFINE_RUNTIME_NOT_FOUND',
      message: expect.stringMatching(/no-such-runtime.*confine-test-.*npm i no-such-runtime/),
    }),
  )
  expect(() => resolveRuntime('./nothing.cjs', place)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_NOT_FOUND' }))
})

test('a wrong confine field is named', () => {
  expect(() => resolveRuntime(fixture('wrong-manifest'))).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID', message: expect.stringContaining('threads must be true or false') }),
  )
})

test.each([
  ['', 'empty'],
  [5, 'a number'],
  [new URL('https://example.test/'), 'no file: URL'],
])('%s is no name (%s)', (name, _why) => {
  expect(() => resolveRuntime(name as string)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_BAD_OPTION' }))
})

test("a bundle stands for the package's main module, and for no other", () => {
  const root = writePackage(join(temporaryDirectory(), 'rt'), { name: 'rt', main: './index.js', confine: { bundle: './guest.cjs' } })
  writeFileSync(join(root, 'guest.cjs'), '')
  writeFileSync(join(root, 'other.js'), '')
  expect(resolveRuntime(root)).toMatchObject({ entry: join(root, 'index.js'), bundle: join(root, 'guest.cjs'), directories: [root] })
  expect(resolveRuntime(join(root, 'other.js'))).not.toHaveProperty('bundle')
})

const withAddon = {
  name: 'rt',
  main: './index.js',
  dependencies: { native: '*' },
  confine: {
    bundle: './guest.cjs',
    bundleFiles: ['./texts.txt'],
    bundleAddons: { native: 'native/prebuilds/{platform}-{arch}/it.abi{abi}.node' },
  },
}
const addonPath = `prebuilds/${process.platform}-${process.arch}/it.abi${process.versions.modules}.node`

/** A runtime with its dependency in a store, as pnpm lays them out, below a directory whose name has a space. */
function writeRuntimeWithAddon(): { root: string; native: string } {
  const store = join(temporaryDirectory(), 'my packages/.pnpm')
  const root = writePackage(join(store, 'rt@1/node_modules/rt'), withAddon)
  const native = writePackage(join(store, 'native@1/node_modules/native'), { name: 'native' })
  symlinkSync('../../native@1/node_modules/native', join(store, 'rt@1/node_modules/native'))
  for (const file of ['guest.cjs', 'texts.txt']) writeFileSync(join(root, file), '')
  mkdirSync(dirname(join(native, addonPath)), { recursive: true })
  writeFileSync(join(native, addonPath), '')
  return { root, native }
}

test("a bundle's files and addons are found, and lie in the directories of its packages", () => {
  const { root, native } = writeRuntimeWithAddon()
  expect(resolveRuntime(root)).toMatchObject({
    bundle: join(root, 'guest.cjs'),
    bundleFiles: [join(root, 'texts.txt')],
    bundleAddons: { native: join(native, addonPath) },
    directories: [root, native],
  })
})

test.each([
  ['is not there', (path: string) => rmSync(path)],
  [
    'lies elsewhere',
    (path: string) => {
      const elsewhere = join(temporaryDirectory(), 'it.node')
      renameSync(path, elsewhere)
      symlinkSync(elsewhere, path)
    },
  ],
  ['was compiled here, too', (path: string) => mkdirSync(join(path, '../../../build'))],
])('where an addon %s, the main module is loaded in place of the bundle', (_where, change) => {
  const { root, native } = writeRuntimeWithAddon()
  change(join(native, addonPath))
  const descriptor = resolveRuntime(root)
  expect(descriptor).toMatchObject({ entry: join(root, 'index.js'), directories: [root, native] })
  for (const member of ['bundle', 'bundleFiles', 'bundleAddons']) expect(descriptor).not.toHaveProperty(member)
})

test.each([
  { bundle: 5 },
  { bundle: './a.cjs', warmUp: './b.cjs' },
  { bundle: './a.cjs', directories: ['./c'] },
  { bundleFiles: ['./a.txt'] },
  { bundle: './a.cjs', bundleFiles: './a.txt' },
  { bundleAddons: { a: 'a/a.node' } },
  { bundle: './a.cjs', bundleAddons: ['a/a.node'] },
  { bundle: './a.cjs', bundleAddons: { a: 5 } },
])('the manifest %j is refused', (confine) => {
  const root = writePackage(join(temporaryDirectory(), 'rt'), { name: 'rt', main: './index.js', confine })
  expect(() => resolveRuntime(root)).toThrow(expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID' }))
})

test.each([
  ['bundle', '/etc/passwd'],
  ['bundle', './link'],
  ['bundle', './missing.cjs'],
  ['bundleFiles', ['./guest.cjs', '../../outside.txt']],
  ['bundleFiles', ['./link']],
  ['bundleFiles', ['/']],
  ['directories', ['..']],
  ['directories', ['./missing']],
  ['warmUp', '../../outside.txt'],
  // Its name begins as the package's does.
  ['warmUp', '../rt-other/index.js'],
])('what a manifest names as %s, %j, is refused: it would be made readable', (member, path) => {
  const root = writePackage(join(temporaryDirectory(), 'a/rt'), {
    name: 'rt',
    main: './index.js',
    confine: { ...(member === 'bundleFiles' ? { bundle: './guest.cjs' } : {}), [member]: path },
  })
  writePackage(join(root, '../rt-other'), { name: 'rt-other' })
  writeFileSync(join(root, 'guest.cjs'), '')
  writeFileSync(join(root, '../../outside.txt'), '')
  symlinkSync('../../outside.txt', join(root, 'link'))
  expect(() => resolveRuntime(root)).toThrow(
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID', message: expect.stringContaining(member) }),
  )
})

test('a dependency whose name is a path is none', () => {
  const project = writePackage(temporaryDirectory(), { name: 'project' })
  const names = ['../../..', '..', '.', '@a/../../../..', '../../../../project', 'it/../../../..', '@scope/it', 'it']
  const root = writePackage(join(project, 'node_modules/rt'), {
    name: 'rt',
    main: './index.js',
    dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
  })
  const found = ['@scope/it', 'it'].map((name) => writePackage(join(project, 'node_modules', name), { name }))
  expect(resolveRuntime(root).directories).toEqual([root, ...found])
})
