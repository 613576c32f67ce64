import { posix } from 'node:path'
import { ConfineError } from '@confine-sandbox/contract'
import { graphLimits } from './graph-limits.ts'
import { isModulePath, manifestReader, type ModuleFiles } from './module-files.ts'

/** Where the files of an option `files` lie for the program. */
export const virtualRoot = '/guest'

/** Files that exist in an option only: name → text. */
export class VirtualFiles implements ModuleFiles {
  readonly #texts = new Map<string, string>()
  readonly packageJson = manifestReader((directory) => this.#texts.get(posix.join(directory, 'package.json')))

  /** @throws ERR_CONFINE_BAD_OPTION for a name that is no relative path, and for what is no text. */
  constructor(files: unknown) {
    if (typeof files !== 'object' || files === null || Array.isArray(files)) throw bad('The option files must be an object: name → text')
    const entries: Iterable<readonly [unknown, unknown]> = files instanceof Map ? files : Object.entries(files)
    for (const [name, text] of entries) {
      if (typeof name !== 'string') throw bad('The names of the option files must be strings')
      this.#texts.set(pathOf(name), textOf(name, text))
    }
    if (this.#texts.size === 0) throw bad('The option files is empty')
  }

  get paths(): Iterable<string> {
    return this.#texts.keys()
  }

  /** Whether there could be a file of this name. @throws ERR_CONFINE_BAD_OPTION when not. */
  accepts(name: string): boolean {
    return pathOf(name) !== ''
  }

  find(path: string): string | undefined {
    return this.#texts.has(path) && isModulePath(path) ? path : undefined
  }

  text(path: string): string {
    return this.#texts.get(path) ?? ''
  }

  reaches(directory: string): boolean {
    return directory === virtualRoot || directory.startsWith(`${virtualRoot}/`)
  }
}

function pathOf(name: string): string {
  const path = posix.join(virtualRoot, name)
  if (name === '' || name.startsWith('/') || name.includes('\0') || name.includes('\\') || !path.startsWith(`${virtualRoot}/`)) {
    throw bad(`The option files has the name ${JSON.stringify(name)}: names are relative paths with / that stay below their root`)
  }
  if (path.split('/').length > graphLimits.depth) {
    throw bad(`The option files has a name of more than ${graphLimits.depth} directories: ${JSON.stringify(name.slice(0, 100))}…`)
  }
  return path
}

function textOf(name: string, text: unknown): string {
  if (typeof text === 'string') return text
  if (text instanceof Uint8Array) return new TextDecoder().decode(text)
  throw bad(`The option files must hold a string or a Uint8Array for ${JSON.stringify(name)}`)
}

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message)
}
