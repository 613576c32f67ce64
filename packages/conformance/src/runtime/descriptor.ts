import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, sep } from 'node:path'
import type { RuntimeClass, RuntimeDescriptor } from '@confine-sandbox/contract'
import { show, type TestFramework } from '../suite.ts'
import type { RuntimeUnderTest } from './subject.ts'

/** What the host must know before it launches a guest, as far as it can be checked without one. */
export function testDescriptor(runtime: RuntimeDescriptor, { it }: TestFramework): void {
  it('names files that are there, by their real paths', () => {
    const { bundleFiles = [], bundleAddons = {} } = runtime
    const others = [runtime.warmUp, runtime.bundle].filter((path) => path !== undefined)
    const paths = [runtime.entry, ...runtime.directories, ...others, ...bundleFiles, ...Object.values(bundleAddons)]
    for (const path of paths) {
      assert.ok(isAbsolute(path), `${path} should be an absolute path`)
      assert.ok(existsSync(path), `${path} is not there; is the runtime built?`)
      assert.equal(realpathSync(path), path, `${path} should be free of symbolic links`)
    }
  })

  it('makes its entry readable while the guest boots', () => {
    const isReadable = runtime.directories.some((directory) => `${dirname(runtime.entry)}${sep}`.startsWith(`${directory}${sep}`))
    assert.ok(isReadable, `The entry ${runtime.entry} lies in none of ${runtime.directories.join(', ')}`)
  })

  it('asks for flags that node knows', () => {
    const { status, stderr } = spawnSync(process.execPath, [...runtime.nodeFlags, '-e', '0'], { encoding: 'utf8' })
    assert.equal(status, 0, `node refuses the flags ${runtime.nodeFlags.join(' ')}: ${stderr}`)
  })

  it('can take at least one container', () => {
    assert.ok(Number.isSafeInteger(runtime.maxContainers) && runtime.maxContainers > 0, `maxContainers is ${show(runtime.maxContainers)}`)
  })

  it('needs no install script', () => {
    const file = packageJson(dirname(runtime.entry))
    const { scripts = {} } = file === undefined ? {} : (JSON.parse(readFileSync(file, 'utf8')) as { scripts?: Record<string, string> })
    const found = ['preinstall', 'install', 'postinstall'].filter((name) => scripts[name] !== undefined)
    assert.deepEqual(found, [], 'A package that runs something when it is installed is refused by pnpm, and by npm from its next major on')
  })
}

/** The class: given, or the main export of the entry. */
export function classOf(runtime: RuntimeUnderTest): RuntimeClass {
  if (typeof runtime === 'function') return runtime
  const loaded: unknown = createRequire(runtime.entry)(runtime.entry)
  const main = typeof loaded === 'object' && loaded !== null ? (loaded as { default?: unknown }).default : loaded
  assert.equal(typeof main, 'function', `The main export of ${runtime.entry} should be the runtime's class; it is ${show(main)}`)
  return main as RuntimeClass
}

function packageJson(directory: string): string | undefined {
  const file = join(directory, 'package.json')
  if (existsSync(file)) return file
  const parent = dirname(directory)
  return parent === directory ? undefined : packageJson(parent)
}
