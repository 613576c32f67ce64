import { expect, test } from 'vitest'
import { importsOf, problemsOf, type SourceFile } from './imports.ts'

const ours = ['contract', 'core', '@x/linux']

test('importsOf sees every way to name a module', () => {
  const text = `
    import a from 'static'
    import 'bare'
    import type { B } from 'type-only'
    import { type C } from 'type-member'
    export { d } from 'export-from'
    export * from 'export-star'
    export type { E } from 'export-type'
    import f = require('import-equals')
    const g = await import('dynamic')
    const h = require('required')
    let i: import('import-type').I
    // import 'comment'
    const j = "import 'string'"
  `
  expect(importsOf(text)).toEqual([
    { specifier: 'static', isTypeOnly: false },
    { specifier: 'bare', isTypeOnly: false },
    { specifier: 'type-only', isTypeOnly: true },
    { specifier: 'type-member', isTypeOnly: false },
    { specifier: 'export-from', isTypeOnly: false },
    { specifier: 'export-star', isTypeOnly: false },
    { specifier: 'export-type', isTypeOnly: true },
    { specifier: 'import-equals', isTypeOnly: false },
    { specifier: 'dynamic', isTypeOnly: false },
    { specifier: 'required', isTypeOnly: false },
    { specifier: 'import-type', isTypeOnly: true },
  ])
})

test('an allowed and listed edge is no problem', () => {
  expect(problemsOf(source("import 'contract'"), ['contract'], ours, { siblings: ['contract'] })).toEqual([])
})

test('a forbidden edge is noticed, also as a type and by a path below the package', () => {
  const files = source("import type { A } from '@x/linux'; import '@x/linux/deep.js'")
  expect(problemsOf(files, ['@x/linux'], ours, { siblings: ['contract'] })).toEqual([
    'src/file.ts imports @x/linux: the edge is not allowed',
    'src/file.ts imports @x/linux/deep.js: the edge is not allowed',
  ])
})

test('a way into another package by path is noticed', () => {
  const files = source("import './near.ts'; import '../package.json'; import '../../core/src/index.ts'")
  expect(problemsOf(files, [], ours, { siblings: [] })).toEqual([
    'src/file.ts imports ../../core/src/index.ts: it lies outside the package',
  ])
})

test('an import that the manifest does not list is noticed', () => {
  expect(problemsOf(source("import 'contract'; require('left-pad')"), [], ours, { siblings: ['contract'] })).toEqual([
    'src/file.ts imports contract: package.json does not list it',
    'src/file.ts imports left-pad: package.json does not list it',
  ])
})

test('a listed package of ours that nothing imports is noticed, unless it is found by name', () => {
  const dependencies = ['contract', 'core', 'left-pad']
  expect(problemsOf([], dependencies, ours, { siblings: ['contract', 'core'], resolvesByName: ['core'] })).toEqual([
    'package.json lists contract, which nothing imports',
  ])
})

test('I/O is noticed where it is forbidden; types of it are not I/O', () => {
  const files = source("import type { Socket } from 'node:net'; import 'node:events'; import fs from 'node:fs'")
  expect(problemsOf(files, [], ours, { siblings: [], builtins: ['node:events'] })).toEqual([
    'src/file.ts imports node:fs: this package does no I/O',
  ])
})

function source(text: string): SourceFile[] {
  return [{ path: 'src/file.ts', imports: importsOf(text) }]
}
