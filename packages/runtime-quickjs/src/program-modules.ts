import { isBuiltin } from 'node:module'
import { type GatheredModule, gatheredPath } from '@confine-sandbox/contract'
import type { SourceFile } from './guest-error.ts'
import type { FoundModule } from './inside/modules.ts'
import type { Program } from './options.ts'
import { plainText } from './plain-text.ts'

/** The names of this package's own modules in the engine. Those of programs are absolute paths. */
const own = 'confine:'
/** Lends what the prelude keeps to the modules of this package. */
export const hostModule: string = `${own}host`
const commonJs = `${own}commonjs `
const nowhere = `${own}nowhere `

/** What the names lead to that a program imports and requires: modules that the host gathered, and nothing else. */
export class ProgramModules {
  readonly #program: Program
  /** What to say of imports that lead nowhere, by the names that they were given. */
  readonly #missing = new Map<string, ImportError>()
  #lastMissing = 0

  constructor(program: Program) {
    this.#program = program
  }

  /** For `require`. Does not throw. */
  require(specifier: string, from: string): FoundModule {
    const path = this.#find('require', specifier, from)
    if (typeof path !== 'string') return path
    const { format, text } = this.#module(path)
    if (format === 'json') return { kind: 'json', path, text }
    if (format === 'commonjs') return { kind: 'commonjs', path }
    return missing(specifier, `${path} is an ES module. Use import() for it`, 'ERR_REQUIRE_ESM')
  }

  /** The name of the module that `import` leads to. One that leads nowhere has a name, too: only loading may fail. */
  importName(specifier: string, from: string): string {
    // From modules of this package, and from no others.
    if (from.startsWith(own) && specifier === hostModule) return hostModule
    const path = this.#find('import', specifier, from)
    if (typeof path !== 'string') {
      const name = `${nowhere}${++this.#lastMissing}`
      this.#missing.set(name, new ImportError(path))
      return name
    }
    return this.#module(path).format === 'commonjs' ? commonJs + path : path
  }

  /** The text of an ES module. @throws ImportError, SyntaxError for TypeScript that is none. */
  importText(name: string): string {
    const error = this.#missing.get(name)
    if (error !== undefined) {
      this.#missing.delete(name)
      throw error
    }
    if (name.startsWith(commonJs)) {
      const path = name.slice(commonJs.length)
      return commonJsModule(path, this.#module(path).exports)
    }
    const { format, text, language } = this.#module(name)
    return format === 'json' ? `export default JSON.parse(${JSON.stringify(text)})` : withMeta(plainText(text, language, name), name)
  }

  /** The text of a CommonJS module. @throws SyntaxError for TypeScript that is none. */
  commonJsText(path: string): string {
    const { text, language } = this.#module(path)
    return wrapped(plainText(text, language, path))
  }

  /** The text of a program's file, when that is one of its modules or itself, and how many columns stand before it on its first line. */
  source(path: string): SourceFile | undefined {
    const { path: main, module, graph } = this.#program
    const gathered = graph?.modules.get(path)
    if (path !== main && gathered === undefined) return undefined
    const text = gathered?.text ?? this.#program.main()
    const isCommonJs = gathered === undefined ? module === 'cjs' : gathered.format === 'commonjs'
    const isJavaScript = gathered === undefined || gathered.language === 'js'
    return { text, isJavaScript, headLength: (isCommonJs ? wrapperHead : metaHead(text, path)).length }
  }

  #find(kind: 'import' | 'require', specifier: string, from: string): string | (FoundModule & { kind: 'error' }) {
    const { graph, path: main } = this.#program
    if (isBuiltin(specifier)) return missing(specifier, 'in QuickJS there is nothing of Node')
    if (graph === undefined)
      return missing(
        specifier,
        'it was not gathered. Give the program as files, with a sourcePath or with roots, or bundle it into the source',
      )
    const path = gatheredPath(graph, kind, specifier, from === main ? graph.entry : from)
    if (path !== undefined && graph.modules.has(path)) return path
    return missing(
      specifier,
      `${from} asks for it, and it was not gathered. It must lie below the roots of the program, and its name stand in a module or in the option include`,
    )
  }

  /** @throws ImportError for what only a program asks for that has changed the language under the prelude. */
  #module(path: string): GatheredModule {
    const module = this.#program.graph?.modules.get(path)
    if (module !== undefined) return module
    throw new ImportError(missing(path, 'it was not gathered'))
  }
}

/** An import that leads nowhere. */
class ImportError extends Error {
  readonly code: string | undefined

  constructor({ message, code }: FoundModule & { kind: 'error' }) {
    super(message)
    this.code = code
    this.stack = `Error: ${message}`
  }
}

/** A CommonJS module as a function. On one line with the text, so that no line moves. */
export function wrapped(text: string): string {
  return `${wrapperHead}${withoutHashbang(text)}\n})`
}

const wrapperHead = '(function (exports, require, module, __filename, __dirname) { '

/** An ES module that knows where it is. */
export function withMeta(text: string, path: string): string {
  return metaHead(text, path) + withoutHashbang(text)
}

function metaHead(text: string, path: string): string {
  return text.includes('import.meta') ? `import.meta.url = ${JSON.stringify(`file://${encodeURI(path)}`)}; ` : ''
}

/** A program file of Unix may begin with one. As a comment it keeps its line. */
export function withoutHashbang(text: string): string {
  return text.startsWith('#!') ? `//${text.slice(2)}` : text
}

/** The text of an ES module that exports what a CommonJS module does. */
function commonJsModule(path: string, names: readonly string[]): string {
  const exported = names.filter((name) => name !== 'default' && name.isWellFormed())
  const lines = exported.map(
    (name, index) => `const export${index} = module[${JSON.stringify(name)}]\nexport { export${index} as ${JSON.stringify(name)} }`,
  )
  return [
    `import { require } from ${JSON.stringify(hostModule)}`,
    `const module = require(${JSON.stringify(path)}, ${JSON.stringify(path)})`,
    'export default module',
    ...lines,
  ].join('\n')
}

function missing(specifier: string, reason: string, code = 'MODULE_NOT_FOUND'): FoundModule & { kind: 'error' } {
  return { kind: 'error', message: `Cannot load the module ${JSON.stringify(specifier)}: ${reason}.`, code }
}
