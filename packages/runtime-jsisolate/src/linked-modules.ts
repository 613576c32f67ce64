import type ivm from 'isolated-vm'

/** The text of a module, ready to be compiled. */
export interface ModuleSource {
  readonly path: string
  readonly text: string
  /** What stands in the text instead of the word `import`. */
  readonly importName?: string
}

/** What linking needs of the isolate's owner. */
export interface LinkOptions {
  /** Path of the program. */
  readonly path: string
  /** Finds the text of an imported module. */
  resolve(specifier: string, from: string): Promise<ModuleSource>
  /** Puts what the prelude lends on the global object, for the module that takes it at once. */
  lend(operationId: number): void
  /** What runs next was imported by whoever asked for it. */
  importing(importId: number): void
}

/** The ES modules of one isolate, each compiled once. */
export class LinkedModules {
  readonly #isolate: ivm.Isolate
  readonly #context: ivm.Context
  readonly #options: LinkOptions
  readonly #modules = new Map<string, Promise<ivm.Module>>()
  readonly #paths = new Map<ivm.Module, string>()
  /** Paths of modules that were compiled since modules were last linked. */
  readonly #unlinked = new Set<string>()
  readonly #arrived = new Set<string>()
  #program: ModuleSource | undefined
  #host: Promise<void> | undefined
  #linking: Promise<unknown> = Promise.resolve()

  constructor(isolate: ivm.Isolate, context: ivm.Context, options: LinkOptions) {
    this.#isolate = isolate
    this.#context = context
    this.#options = options
  }

  /** Links the program, and runs it as an operation. */
  async run(operationId: number, program: ModuleSource): Promise<void> {
    this.#program = program
    const main = await this.#link(() => this.#compile({ path: 'confine:main', text: mainModule }))
    this.#options.lend(operationId)
    this.#host = Promise.resolve()
    await main.evaluate()
  }

  /**
   * Loads a module at run time; the module that is made for it hands it in, when its top level is through.
   * @returns its path when it has been loaded before.
   */
  async import(importId: number, specifier: string, from: string): Promise<string | undefined> {
    const found = await this.#options.resolve(specifier, from)
    if (this.#arrived.has(found.path)) return found.path
    const text = `import * as module from ${JSON.stringify(found.path)}
import { imported } from 'confine:host'
imported(${importId}, ${JSON.stringify(found.path)}, module)`
    const one = await this.#link(async () => {
      // Compiled here, the module is there for the one that asks for it by its path.
      await this.#compile(found)
      const importing = await this.#isolate.compileModule(text, { filename: `confine:import-${importId}` })
      this.#paths.set(importing, 'confine:import')
      return importing
    })
    await this.#lendOnce()
    this.#options.importing(importId)
    await one.evaluate()
    this.#arrived.add(found.path)
    this.#paths.delete(one)
    one.release()
    return undefined
  }

  /** What the prelude lends is gone again before anything of the program can run. */
  #lendOnce(): Promise<void> {
    this.#host ??= this.#link(() => this.#compile(hostSource)).then(async (host) => {
      this.#options.lend(0)
      await host.evaluate()
    })
    return this.#host
  }

  /** One after the other: two that link the same module at the same time would meet it half done. */
  #link(make: () => Promise<ivm.Module>): Promise<ivm.Module> {
    const linked = this.#linking.then(async () => {
      try {
        const module = await make()
        await module.instantiate(this.#context, (specifier, referrer) => this.#resolve(specifier, referrer))
        this.#unlinked.clear()
        return module
      } catch (error) {
        // isolated-vm does not link again what it did not link whole.
        for (const path of this.#unlinked) this.#modules.delete(path)
        this.#unlinked.clear()
        throw error
      }
    })
    this.#linking = linked.catch(() => {})
    return linked
  }

  async #resolve(specifier: string, referrer: ivm.Module): Promise<ivm.Module> {
    const from = this.#paths.get(referrer) ?? this.#options.path
    // These names lead anywhere only from the modules of this package.
    if (from.startsWith('confine:') || from.startsWith('node:')) {
      if (specifier === 'confine:host') return this.#compile(hostSource)
      if (specifier === 'confine:program') return this.#compile(this.#program!)
      const known = this.#modules.get(specifier)
      if (known !== undefined) return known
    }
    if (specifier === importerOf(from)) {
      return this.#compile({
        path: specifier,
        text: `import { importer } from 'confine:host'\nexport default importer(${JSON.stringify(from)})`,
      })
    }
    return this.#compile(await this.#options.resolve(specifier, from))
  }

  #compile({ path, text, importName }: ModuleSource): Promise<ivm.Module> {
    const known = this.#modules.get(path)
    if (known !== undefined) return known
    const lines = importName === undefined ? text : `${text}\nimport ${importName} from ${JSON.stringify(importerOf(path))}`
    const compiled = this.#isolate.compileModule(lines, { filename: path }).then((module) => {
      this.#paths.set(module, path)
      return module
    })
    this.#modules.set(path, compiled)
    this.#unlinked.add(path)
    return compiled
  }
}

/** The name by which a module gets its `import()`: no other module may have it. */
function importerOf(path: string): string {
  return `confine:importer ${path}`
}

// Evaluated before the program, which therefore finds nothing on the global object.
const hostSource: ModuleSource = {
  path: 'confine:host',
  text: `const host = globalThis['confine:host']
delete globalThis['confine:host']
export const { require, loaded, importer, imported } = host`,
}

const mainModule = `import { loaded } from 'confine:host'
import * as program from 'confine:program'
loaded(program)`

/** The text of an ES module that exports what a CommonJS module does. */
export function commonJsModule(specifier: string, names: readonly string[]): string {
  const own = names.filter((name) => name !== 'default' && name.isWellFormed())
  const lines = own.map(
    (name, index) => `const export${index} = module[${JSON.stringify(name)}]\nexport { export${index} as ${JSON.stringify(name)} }`,
  )
  return [
    `import { require } from 'confine:host'`,
    `const module = require(${JSON.stringify(specifier)})`,
    'export default module',
    ...lines,
  ].join('\n')
}
