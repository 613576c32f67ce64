import { compileError } from './guest-error.ts'
import { ImportError } from './import-error.ts'
import { readNames } from './inside-word.ts'
import type { LoadedModule } from './inside/modules.ts'
import { commonJsModule, type ModuleSource } from './linked-modules.ts'
import type { Program } from './options.ts'
import { programModules, type ProgramModules } from './program-modules.ts'

/** The texts that an isolate loads: a program's own, and those of its modules. */
export class ProgramSources {
  readonly #program: Program
  readonly #modules: ProgramModules
  readonly #names: (specifier: string) => Promise<unknown>

  /**
   * @param canRead whether modules may be read from files.
   * @param names asks the program what a CommonJS module exports. Its word.
   */
  constructor(program: Program, canRead: boolean, names: (specifier: string) => Promise<unknown>) {
    this.#program = program
    this.#modules = programModules(program, canRead)
    this.#names = names
  }

  /** For `require`. Does not throw. */
  require(specifier: string, from: string): LoadedModule {
    return this.#modules.require(specifier, from)
  }

  /** For `import`: an ES module, made of whatever was found. @throws ImportError */
  async import(specifier: string, from: string): Promise<ModuleSource> {
    const found = this.#modules.import(specifier, from)
    if (found.kind === 'error') throw new ImportError(found)
    if (found.kind === 'commonjs') return { path: `confine:commonjs ${found.path}`, text: commonJsModule(found.path, found.exports) }
    if (found.kind === 'json') return { path: found.path, text: `export default JSON.parse(${JSON.stringify(found.text)})` }
    if (found.kind === 'text' && !found.path.startsWith('node:')) return found
    const names = readNames(await this.#names(specifier))
    return { path: `node:${specifier.replace(/^node:/, '')}`, text: commonJsModule(specifier, names) }
  }

  /** The error of a text that did not load. */
  errorOf(error: unknown): Error {
    return error instanceof ImportError
      ? error
      : compileError(
          error,
          (path) => this.#textOf(path),
          (path) => this.#languageOf(path) === 'js',
        )
  }

  #languageOf(path: string): 'js' | 'ts' | undefined {
    const { language, path: main, graph } = this.#program
    return path === main ? language : graph?.modules.get(path)?.language
  }

  #textOf(path: string): string {
    const { text, path: main, graph } = this.#program
    return path === main ? text : (graph?.modules.get(path)?.text ?? '')
  }
}
