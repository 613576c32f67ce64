import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  name: string
  version: string
  private?: boolean
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export interface Package {
  /** The folder in packages/, e.g. `runtime-jseval`. */
  folder: string
  directory: string
  manifest: Manifest
  /** True while src/ is nothing but an empty index: such a package promises nothing yet. */
  isStub: boolean
}

/** Every package in packages/, read from disk. */
export function readPackages(): Package[] {
  return readdirSync(join(root, 'packages'))
    .map((folder) => ({ folder, directory: join(root, 'packages', folder) }))
    .filter(({ directory }) => existsSync(join(directory, 'package.json')))
    .map(({ folder, directory }) => ({
      folder,
      directory,
      manifest: JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest,
      isStub: readFileSync(join(directory, 'src/index.ts'), 'utf8').trim() === 'export {}',
    }))
}
