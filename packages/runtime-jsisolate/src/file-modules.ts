import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'

/** A file that a specifier means. */
export interface ModuleFile {
  readonly path: string
  readonly text: string
}

/**
 * Finds modules as files, the way that CommonJS does: with or without extension, as a directory, or by name in
 * `node_modules`; nothing outside of `root` once symbolic links are resolved.
 */
export function findModuleFile(specifier: string, from: string, root: string): ModuleFile | undefined {
  for (const candidate of candidates(specifier, from, root)) {
    const path = realFile(candidate)
    if (path !== undefined && isWithin(path, realRoot(root))) return { path, text: readFileSync(path, 'utf8').replace(/^\uFEFF/, '') }
  }
  return undefined
}

function* candidates(specifier: string, from: string, root: string): Generator<string> {
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
    yield* fileOrDirectory(resolve(dirname(from), specifier))
    return
  }
  for (let directory = dirname(from); isWithin(directory, root); directory = dirname(directory)) {
    yield* fileOrDirectory(join(directory, 'node_modules', specifier))
    if (directory === dirname(directory)) return
  }
}

function* fileOrDirectory(path: string): Generator<string> {
  yield path
  for (const extension of extensions) yield path + extension
  const main = packageMain(path)
  if (main !== undefined) {
    yield main
    for (const extension of extensions) yield main + extension
    yield join(main, 'index.js')
  }
  for (const extension of extensions) yield join(path, `index${extension}`)
}

const extensions = ['.js', '.cjs', '.json', '.mjs']

function packageMain(directory: string): string | undefined {
  try {
    const { main } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { main?: unknown }
    return typeof main === 'string' ? resolve(directory, main) : undefined
  } catch {
    return undefined
  }
}

function realFile(path: string): string | undefined {
  try {
    const real = realpathSync(path)
    return statSync(real).isFile() ? real : undefined
  } catch {
    return undefined
  }
}

function realRoot(root: string): string {
  try {
    return realpathSync(root)
  } catch {
    return root
  }
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}
