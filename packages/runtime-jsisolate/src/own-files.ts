import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type ivm from 'isolated-vm'

const require = createRequire(import.meta.url)

/** Path of the texts of the web and of Node, made by the build. */
export const shimsPath = fileURLToPath(new URL('../dist/shims.txt', import.meta.url))

/**
 * isolated-vm. On Linux its prebuilt binary is loaded by its name: looking for it, as `require('isolated-vm')` does, takes
 * longer than loading it. Wherever that is not where it lies, isolated-vm looks for itself.
 */
export const addon: typeof ivm = prebuilt() ?? (require('isolated-vm') as typeof ivm)

function prebuilt(): typeof ivm | undefined {
  if (process.platform !== 'linux') return undefined
  const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc'
  const file = `isolated-vm/prebuilds/linux-${process.arch}/isolated-vm.abi${process.versions.modules}.${libc}.node`
  try {
    return (require(file) as { ivm: typeof ivm }).ivm
  } catch {
    return undefined
  }
}
