import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { resolveRuntime, Sandbox } from '../src/index.ts'

// Where the files of jsisolate and of its native addon lie is the host's business, and different in each installation.

const ours = fileURLToPath(new URL('../../runtime-jsisolate', import.meta.url))
const requireOfOurs = createRequire(join(ours, 'package.json'))
const isLinux = process.platform === 'linux'

/** Copies the runtime with what it depends on, side by side. @returns their directory. */
function install(directory: string): string {
  const isolatedVm = place(requireOfOurs, 'isolated-vm')
  const packages = {
    'jsisolate-confine-runtime': ours,
    'isolated-vm': isolatedVm,
    'node-gyp-build': place(createRequire(join(isolatedVm, 'package.json')), 'node-gyp-build'),
    'abstract-confine-runtime': place(requireOfOurs, 'abstract-confine-runtime'),
  }
  for (const [name, from] of Object.entries(packages)) {
    const to = join(directory, name)
    mkdirSync(join(to, 'prebuilds'), { recursive: true })
    for (const file of readdirSync(from).filter((file) => /^(dist|package\.json|.*\.js)$/.test(file))) {
      cpSync(join(from, file), join(to, file), { recursive: true })
    }
  }
  const prebuilt = `prebuilds/${process.platform}-${process.arch}`
  cpSync(join(packages['isolated-vm'], prebuilt), join(directory, 'isolated-vm', prebuilt), { recursive: true })
  return directory
}

function place(require: NodeJS.Require, name: string): string {
  return dirname(require.resolve(`${name}/package.json`))
}

/** A guest that root starts is somebody else, and reads its runtime. */
function openDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'confine-test-')))
  chmodSync(directory, 0o755)
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

async function result(runtime: string): Promise<unknown> {
  await using sandbox = new Sandbox({ runtime })
  const container = await sandbox.execContainer({ source: "exports.add = (a, b) => new URL('http://a/' + (a + b)).pathname" })
  return await container.call('add', [1, 2])
}

const dependencies = ['isolated-vm', 'node-gyp-build', 'abstract-confine-runtime']

const layouts: Record<string, (root: string) => string> = {
  'side by side, below a directory with a space': (root) =>
    join(install(join(root, 'my project/node_modules')), 'jsisolate-confine-runtime'),
  'one within the other': (root) => {
    const packages = install(join(root, 'packages'))
    const runtime = join(packages, 'jsisolate-confine-runtime')
    mkdirSync(join(runtime, 'node_modules'))
    for (const name of dependencies) {
      cpSync(join(packages, name), join(runtime, 'node_modules', name), { recursive: true })
      rmSync(join(packages, name), { recursive: true })
    }
    return runtime
  },
  'in a store, by links': (root) => {
    const packages = install(join(root, 'store'))
    const runtime = join(root, 'linked/jsisolate-confine-runtime')
    cpSync(join(packages, 'jsisolate-confine-runtime'), runtime, { recursive: true })
    mkdirSync(join(runtime, 'node_modules'))
    for (const name of dependencies) symlinkSync(join(packages, name), join(runtime, 'node_modules', name))
    symlinkSync(join(root, 'linked'), join(root, 'project'))
    return join(root, 'project/jsisolate-confine-runtime')
  },
}

test.each(Object.entries(layouts))('the host tells the guest where its files lie: %s', async (_how, layOut) => {
  const runtime = layOut(openDirectory())
  const { bundle, bundleAddons, bundleFiles } = resolveRuntime(runtime)
  // Elsewhere isolated-vm looks for itself.
  if (isLinux) expect([bundle, bundleFiles?.length, Object.keys(bundleAddons ?? {})]).toEqual([expect.any(String), 1, ['isolated-vm']])
  expect(await result(runtime)).toBe('/3')
})

test.runIf(isLinux)('an addon that is none, or not there, ends the start with a reason', async () => {
  const packages = install(join(openDirectory(), 'node_modules'))
  const runtime = join(packages, 'jsisolate-confine-runtime')
  const prebuilt = join(packages, 'isolated-vm/prebuilds', `linux-${process.arch}`)
  const invalid = (message: RegExp) =>
    expect.objectContaining({ code: 'ERR_CONFINE_RUNTIME_INVALID', message: expect.stringMatching(message) })
  for (const file of readdirSync(prebuilt)) writeFileSync(join(prebuilt, file), 'no machine code')
  await expect(result(runtime)).rejects.toEqual(invalid(/^Cannot load the runtime .*isolated-vm\.abi/))
  rmSync(prebuilt, { recursive: true })
  expect(resolveRuntime(runtime)).not.toHaveProperty('bundle')
  await expect(result(runtime)).rejects.toEqual(invalid(/^Cannot load the runtime .*No native build was found/))
  rmSync(join(packages, 'isolated-vm'), { recursive: true })
  await expect(result(runtime)).rejects.toEqual(invalid(/^Cannot load the runtime .*Cannot find module 'isolated-vm'/))
})
