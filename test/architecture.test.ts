import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importsOf, problemsOf, type Rules } from './imports.ts'
import { type Package, readPackages } from './packages.ts'

const contract = '@confine-sandbox/contract'
const ipc = '@confine-sandbox/ipc'
const guest = '@confine-sandbox/guest'
const core = '@confine-sandbox/core'
const conformance = '@confine-sandbox/conformance'
const backends = ['@confine-sandbox/isolation-linux', '@confine-sandbox/isolation-macos']
const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']

/** contract ← ipc ← guest ← core ← confine-sandbox; backends and runtimes know the contract only, and only confine-sandbox knows them. */
const rules: Record<string, Rules> = {
  contract: { siblings: [], builtins: ['node:events'] },
  ipc: { siblings: [contract] },
  guest: { siblings: [contract, ipc] },
  core: { siblings: [contract, ipc, guest] },
  'isolation-linux': { siblings: [contract] },
  'isolation-macos': { siblings: [contract] },
  'runtime-jseval': { siblings: [contract] },
  'runtime-jsisolate': { siblings: [contract] },
  'runtime-quickjs': { siblings: [contract] },
  'runtime-wasm': { siblings: [contract] },
  conformance: { siblings: [contract, ipc] },
  'create-confine-runtime': { siblings: [] },
  // The host never loads a runtime: it finds the package by name and sends its path to the guest.
  // The command runs the attacks of the conformance kit.
  'confine-sandbox': { siblings: [contract, ipc, guest, core, conformance, ...backends, ...runtimes], resolvesByName: runtimes },
}

const packages = readPackages()
const ours = packages.map(({ manifest }) => manifest.name)

test('every package has its rules', () => {
  expect(packages.map(({ folder }) => folder).sort()).toEqual(Object.keys(rules).sort())
})

test.each(packages.filter(({ isStub }) => !isStub))('$folder imports what it may and lists what it imports', (one) => {
  expect(problemsOf(sourcesOf(one), dependenciesOf(one), ours, rules[one.folder]!)).toEqual([])
})

test('contract depends on abstract-confine-runtime and nothing else', () => {
  const [found] = packages.filter(({ folder }) => folder === 'contract')
  expect(dependenciesOf(found!)).toEqual(['abstract-confine-runtime'])
})

test('no package of ours runs anything when it is installed', () => {
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare']
  const withHooks = packages.filter(({ manifest }) => hooks.some((hook) => manifest.scripts?.[hook]))
  expect(withHooks.map(({ folder }) => folder)).toEqual([])
})

function sourcesOf({ directory }: Package) {
  return globSync('src/**/*.{ts,mts,cts,js,mjs,cjs}', { cwd: directory }).map((path) => ({
    path,
    imports: importsOf(readFileSync(join(directory, path), 'utf8')),
  }))
}

function dependenciesOf({ manifest }: Package): string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies })
}
