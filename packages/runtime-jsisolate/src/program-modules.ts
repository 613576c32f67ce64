import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname } from 'node:path'
import { findModuleFile } from './file-modules.ts'
import type { LoadedModule } from './inside/modules.ts'
import type { Program } from './options.ts'

/** What a program's `require` and `import` lead to. */
export interface ProgramModules {
  /** For `require`. Does not throw. */
  require(specifier: string, from: string): LoadedModule
  /** For `import`. Does not throw. */
  import(specifier: string, from: string): LoadedModule
}

/**
 * Resolves the modules of one program.
 * @param canRead whether modules may be read from files: not in a guest, which is locked by now.
 * @param shims the text of the modules of Node that this package brings along, by name.
 */
export function programModules(program: Program, canRead: boolean, shims: ReadonlyMap<string, string>): ProgramModules {
  const root = dirname(program.path)

  function find(specifier: string, from: string): LoadedModule {
    const override = program.requires.get(specifier)
    if (override !== undefined) return overridden(specifier, override)
    const name = specifier.replace(/^node:/, '')
    if (specifier.startsWith('node:') || nodeModules.has(name)) return nodeModule(name)
    if (!canRead) return missing(specifier, 'in this sandbox there are no files to load modules from. Bundle it into the source')
    try {
      const file = findModuleFile(specifier, from, root)
      if (file !== undefined) return { kind: file.path.endsWith('.json') ? 'json' : 'text', ...file }
    } catch (error) {
      return missing(specifier, messageOf(error))
    }
    return missing(specifier, `there is no such module below ${root}`)
  }

  function overridden(specifier: string, override: string | { readonly source: string }): LoadedModule {
    if (typeof override !== 'string') return { kind: 'text', path: `/guest/requires/${specifier}`, text: override.source }
    if (!canRead)
      return missing(specifier, `the file ${override} of the option cjs.requires cannot be read in a sandbox. Give { source } instead`)
    try {
      return { kind: override.endsWith('.json') ? 'json' : 'text', path: override, text: readFileSync(override, 'utf8') }
    } catch (error) {
      return missing(specifier, messageOf(error))
    }
  }

  function nodeModule(name: string): LoadedModule {
    if (program.env !== 'nodejs') return missing(name, "the modules of Node are there only with the option env: 'nodejs'")
    const text = shims.get(name)
    if (text !== undefined) return { kind: 'text', path: `node:${name}`, text }
    const module: unknown = process.getBuiltinModule(name)
    if (module === undefined) return missing(name, 'Node has no such module')
    return { kind: 'unavailable', name, members: Object.keys(module as object) }
  }

  return {
    require(specifier, from) {
      const found = find(specifier, from)
      if (found.kind === 'text' && found.path.endsWith('.mjs'))
        return missing(specifier, `${found.path} is an ES module`, 'ERR_REQUIRE_ESM')
      return found
    },
    import(specifier, from) {
      if (program.disableImports) return missing(specifier, 'imports are disabled for this program', 'ERR_IMPORT_DISABLED')
      const found = find(specifier, from)
      if (found.kind === 'text' && found.path.endsWith('.cjs'))
        return missing(specifier, `${found.path} is a CommonJS module`, 'ERR_IMPORT_COMMONJS')
      return found
    },
  }
}

const nodeModules = new Set(builtinModules)

function missing(specifier: string, reason: string, code = 'MODULE_NOT_FOUND'): LoadedModule {
  return { kind: 'error', message: `Cannot load the module ${JSON.stringify(specifier)}: ${reason}.`, code }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
