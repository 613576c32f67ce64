import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname } from 'node:path'
import { gatheredPath } from '@confine-sandbox/contract'
import { findModuleFile } from './file-modules.ts'
import { withImportCalls } from './import-calls.ts'
import type { LoadedModule } from './inside/modules.ts'
import { archive, nodeShim } from './node-shims.ts'
import type { Program } from './options.ts'
import { plainText } from './plain-text.ts'

/** What a program's `require` and `import` lead to. */
export interface ProgramModules {
  /** For `require`. Does not throw. */
  require(specifier: string, from: string): LoadedModule
  /** For `import`. Does not throw. A CommonJS module comes with its names, when they are known. */
  import(specifier: string, from: string): LoadedModule | CommonJsModule
}

/** A CommonJS module that was gathered, as an ES module imports it. */
interface CommonJsModule {
  readonly kind: 'commonjs'
  readonly path: string
  readonly exports: readonly string[]
}

/**
 * Resolves the modules of one program.
 * @param canRead whether modules may be read from files: not in a guest, which is locked by now.
 */
export function programModules(program: Program, canRead: boolean): ProgramModules {
  const { graph } = program
  const root = dirname(program.path)

  function find(kind: 'import' | 'require', specifier: string, from: string): LoadedModule | CommonJsModule {
    // The web's globals are there in both environments.
    if (specifier === 'confine:web' && from === 'confine:globals') return { kind: 'text', path: 'confine:web', text: archive.text('web')! }
    // What a program puts in the place of a module is for the program.
    const override = from.startsWith('node:') || from.startsWith('confine:') ? undefined : program.requires.get(specifier)
    if (override !== undefined) return overridden(specifier, override)
    const name = specifier.replace(/^node:/, '')
    if (specifier.startsWith('node:') || nodeModules.has(name)) return nodeModule(name)
    if (graph !== undefined) return gathered(kind, specifier, from)
    if (!canRead)
      return missing(
        specifier,
        'it was not gathered. Give the program as files, with a sourcePath or with roots, or bundle it into the source',
      )
    try {
      const file = findModuleFile(specifier, from, root)
      if (file !== undefined) return read(file.path, file.text)
    } catch (error) {
      return missing(specifier, messageOf(error))
    }
    return missing(specifier, `there is no such module below ${root}`)
  }

  function gathered(kind: 'import' | 'require', specifier: string, from: string): LoadedModule | CommonJsModule {
    const path = gatheredPath(graph!, kind, specifier, from === program.path ? graph!.entry : from)
    const module = path === undefined ? undefined : graph!.modules.get(path)
    if (path === undefined || module === undefined) {
      return missing(
        specifier,
        `${from} asks for it, and it was not gathered. It must lie below the roots of the program, and its name stand in a module or in the option include`,
      )
    }
    if (module.format === 'json') return { kind: 'json', path, text: module.text }
    if (module.format === 'commonjs' && kind === 'import') return { kind: 'commonjs', path, exports: module.exports }
    if (module.format === 'module' && kind === 'require') {
      return missing(specifier, `${path} is an ES module. Use import() for it`, 'ERR_REQUIRE_ESM')
    }
    if (path === graph!.entry) return { kind: 'text', ...program.main() }
    return { kind: 'text', path, ...withImportCalls(plainText(module.text, module.language, path)) }
  }

  function overridden(specifier: string, override: string | { readonly source: string }): LoadedModule {
    if (typeof override !== 'string') return { kind: 'text', path: `/guest/requires/${specifier}`, ...withImportCalls(override.source) }
    if (!canRead)
      return missing(specifier, `the file ${override} of the option cjs.requires cannot be read in a sandbox. Give { source } instead`)
    try {
      return read(override, readFileSync(override, 'utf8'))
    } catch (error) {
      return missing(specifier, messageOf(error))
    }
  }

  function nodeModule(name: string): LoadedModule {
    if (program.env !== 'nodejs') return missing(name, "the modules of Node are there only with the option env: 'nodejs'")
    const text = nodeShim(name)
    if (text !== undefined) return { kind: 'text', path: `node:${name}`, text }
    const module: unknown = process.getBuiltinModule(name)
    if (module === undefined) return missing(name, 'Node has no such module')
    return { kind: 'unavailable', name, members: Object.keys(module as object) }
  }

  return {
    require(specifier, from) {
      return told(specifier, () => {
        const found = find('require', specifier, from) as LoadedModule
        if (graph === undefined && found.kind === 'text' && found.path.endsWith('.mjs'))
          return missing(specifier, `${found.path} is an ES module`, 'ERR_REQUIRE_ESM')
        return found
      })
    },
    import(specifier, from) {
      if (program.disableImports) return missing(specifier, 'imports are disabled for this program', 'ERR_IMPORT_DISABLED')
      return told(specifier, () => {
        const found = find('import', specifier, from)
        if (graph === undefined && found.kind === 'text' && found.path.endsWith('.cjs'))
          return missing(specifier, `${found.path} is a CommonJS module`, 'ERR_IMPORT_COMMONJS')
        return found
      })
    },
  }
}

function read(path: string, text: string): LoadedModule {
  return path.endsWith('.json') ? { kind: 'json', path, text } : { kind: 'text', path, ...withImportCalls(text) }
}

const nodeModules = new Set(builtinModules)

function missing(specifier: string, reason: string, code = 'MODULE_NOT_FOUND'): LoadedModule {
  return { kind: 'error', message: `Cannot load the module ${JSON.stringify(specifier)}: ${reason}.`, code }
}

/** A text may be no TypeScript. */
function told<Found>(specifier: string, find: () => Found): Found | LoadedModule {
  try {
    return find()
  } catch (error) {
    if (!(error instanceof Error)) return missing(specifier, String(error))
    const { name, message, stack, code = 'ERR_INVALID_MODULE' } = error as Error & { code?: string }
    return { kind: 'error', name, message, code, ...(stack !== undefined && { stack }) }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
