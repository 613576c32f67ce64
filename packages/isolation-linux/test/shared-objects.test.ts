import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { libraryHints, loadedSharedObjects, sortSharedObjects } from '../src/shared-objects.ts'

test.each([
  ['glibc on x64', '/lib64/ld-linux-x86-64.so.2'],
  ['glibc on arm64', '/lib/ld-linux-aarch64.so.1'],
  ['musl', '/lib/ld-musl-x86_64.so.1'],
  ['nix', '/nix/store/0a1b-glibc-2.40/lib/ld-linux-x86-64.so.2'],
])('knows the loader of %s', (_name, loader) => {
  expect(sortSharedObjects(['linux-vdso.so.1', '/lib/libld.so.1', '/lib/libc.so.6', loader])).toEqual({
    loader,
    libraries: ['/lib/libld.so.1', '/lib/libc.so.6'],
  })
})

test('leaves add-ons and the vdso out', () => {
  expect(sortSharedObjects(['linux-vdso.so.1', '[vdso]', '/app/build/addon.node'])).toEqual({ loader: undefined, libraries: [] })
})

test('finds what this process has loaded, without looking at the network', () => {
  const before = Reflect.get(process.report, 'excludeNetwork')
  const { loader, libraries } = loadedSharedObjects()
  expect(loader).toMatch(/\/ld-/)
  expect(libraries.length).toBeGreaterThan(0)
  for (const path of libraries) expect([path, existsSync(path)]).toEqual([path, true])
  expect(Reflect.get(process.report, 'excludeNetwork')).toBe(before)
})

test('tells the loader of glibc where the libraries of node lie, and of no others', () => {
  const loader = '/lib64/ld-linux-x86-64.so.2'
  const libraries = ['/lib/libstdc++.so.6', '/opt/lib/libjemalloc.so.2', '/lib/libc.so.6', '/odd:path/libm.so.6', '/$ORIGIN/libdl.so.2']
  expect(libraryHints({ loader, libraries })).toEqual({ LD_PRELOAD: '/lib/libstdc++.so.6:/lib/libc.so.6' })
  expect(libraryHints({ loader, libraries: ['/opt/lib/libuv.so.1'] })).toEqual({})
  expect(libraryHints({ loader: '/lib/ld-musl-x86_64.so.1', libraries })).toEqual({})
  expect(libraryHints({ loader: undefined, libraries })).toEqual({})
})
