import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ranges } from './ranges.ts'
import { conformanceTest } from './templates/conformance-test.ts'
import { manifest } from './templates/manifest.ts'
import { readme } from './templates/readme.ts'
import { runtimeModule } from './templates/runtime-module.ts'
import { runtimeTypes } from './templates/runtime-types.ts'

/** What `createRuntime` takes. */
export interface CreateRuntimeOptions {
  /** Where to put the package: a directory that is not there yet, or is empty. Relative to the working directory. */
  readonly directory: string
  /** The name of the package. @default the last part of the directory */
  readonly name?: string
}

/**
 * Writes a package with a runtime that works: a small language of its own, to be replaced by yours.
 * @returns The package's name, its absolute directory and its files.
 * @throws Error when the name is none that npm takes, or the directory holds something. Nothing is written then.
 */
export function createRuntime({ directory, name }: CreateRuntimeOptions): { name: string; directory: string; files: string[] } {
  const target = resolve(directory)
  const packageName = name ?? basename(target)
  if (packageName.length > 214 || !/^(@[a-z0-9-][a-z0-9-._]*\/)?[a-z0-9-][a-z0-9-._]*$/.test(packageName)) {
    throw new Error(
      `${JSON.stringify(packageName)} cannot be the name of a package: use small letters, digits, hyphens and dots, as in my-confine-runtime.`,
    )
  }
  if (existsSync(target) && !isEmptyDirectory(target))
    throw new Error(`${target} is there already, and is not empty: name another directory.`)
  const facts = { packageName, className: className(packageName), ranges }
  const files: Record<string, string> = {
    '.gitignore': 'node_modules\n',
    'README.md': readme(facts),
    'index.d.ts': runtimeTypes(facts),
    'index.js': runtimeModule(facts),
    'package.json': manifest(facts),
    'test/conformance.test.js': conformanceTest(facts),
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    // Never over what came to be there in the meantime.
    writeFileSync(join(target, path), text, { flag: 'wx' })
  }
  return { name: packageName, directory: target, files: Object.keys(files) }
}

/** What the templates are filled with. */
export interface TemplateFacts {
  readonly packageName: string
  readonly className: string
  /** Our packages, each with the versions that the new one takes. */
  readonly ranges: Readonly<Record<string, string>>
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0
  } catch {
    return false
  }
}

/** `@me/my-confine-runtime` is MyConfineRuntime. */
function className(packageName: string): string {
  const words = packageName.replace(/^@[^/]*\//, '').match(/[a-z0-9]+/g) ?? []
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[A-Z]/.test(name) ? name : `Runtime${name}`
}
