import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import vm from 'node:vm'
import { gatheredPath } from '@confine-sandbox/contract'
import { builtin, isBuiltin, moduleError, type ReplacedModules } from './builtin.ts'
import type { Program } from './options.ts'
import { plainText, withPlace } from './plain-text.ts'
import { compile, type Realm } from './realm.ts'

/** A CommonJS module as the program sees it. */
export interface CommonJsModule {
  exports: unknown
  loaded: boolean
  readonly [name: string]: unknown
}

/** The modules of one program: its own, those that were gathered with it, and Node's. */
export class ProgramModules {
  readonly #realm: Realm
  readonly #program: Program
  readonly #replaced: ReplacedModules
  readonly #commonJs = new Map<string, CommonJsModule>()
  readonly #esm = new Map<string, vm.Module>()
  #main: CommonJsModule | undefined

  /** @param replaced Modules of Node that the program has its own of. */
  constructor(realm: Realm, program: Program, replaced: ReplacedModules) {
    this.#realm = realm
    this.#program = program
    this.#replaced = replaced
  }

  /** Runs the program. @returns where its exports are, also while they change. */
  async run(): Promise<{ readonly exports: unknown }> {
    const { path, text, language, format } = this.#program
    const plain = plainText(text, language, path)
    if (format !== 'module') {
      try {
        return this.#runCommonJs(path, plain)
      } catch (error) {
        // The compiler knows best how a text is written that does not say so.
        if (this.#main !== undefined) throw error
        if (format === 'commonjs' || !isModuleSyntaxError(error)) throw withPlace(error, plain, path)
      }
    }
    const module = this.#link(() => this.#sourceText(path, plain))
    await module.evaluate()
    return { exports: module.namespace }
  }

  #runCommonJs(path: string, text: string): CommonJsModule {
    const main = this.#compile(path, text)
    const { tools } = this.#realm
    const require = this.#requireOf(path)
    const module = Object.assign(tools.object(), {
      exports: tools.object() as unknown,
      id: this.#main === undefined ? '.' : path,
      path: dirname(path),
      filename: path,
      loaded: false,
      children: [],
      paths: [],
      require,
    }) as CommonJsModule
    this.#main ??= module
    require.main = this.#main as never
    this.#commonJs.set(path, module)
    try {
      Reflect.apply(main, module.exports, [module.exports, require, module, path, module.path])
    } catch (error) {
      this.#commonJs.delete(path)
      throw error
    }
    module.loaded = true
    return module
  }

  #compile(path: string, text: string) {
    return compile(this.#realm, text, path, (specifier) => this.#import(specifier, path))
  }

  #requireOf(from: string): NodeJS.Require {
    const load = (id: unknown) => this.#require(id, from)
    const resolve = (id: unknown) => {
      if (typeof id === 'string' && !isBuiltin(id) && this.#program.graph !== undefined) return this.#gathered('require', id, from)
      builtin(id, this.#replaced)
      return String(id)
    }
    return Object.assign(load, {
      resolve: Object.assign(resolve, { paths: () => null }),
      cache: Object.create(null),
      extensions: Object.create(null),
      main: undefined,
    }) as unknown as NodeJS.Require
  }

  #require(id: unknown, from: string): unknown {
    if (typeof id !== 'string' || isBuiltin(id) || id === '' || this.#program.graph === undefined) return builtin(id, this.#replaced)
    return this.#requirePath(this.#gathered('require', id, from))
  }

  #requirePath(path: string): unknown {
    const known = this.#commonJs.get(path)
    if (known !== undefined) return known.exports
    const { format, language, text } = this.#program.graph!.modules.get(path)!
    if (format === 'commonjs') return this.#runCommonJs(path, plainText(text, language, path)).exports
    if (format === 'json') {
      const module = { exports: this.#realm.tools.adopt(JSON.parse(text)), loaded: true }
      this.#commonJs.set(path, module)
      return module.exports
    }
    const module = this.#link(() => this.#load(path))
    if (module instanceof vm.SourceTextModule && module.hasAsyncGraph()) {
      throw moduleError(path, 'it awaits at its top level. Use import() for it', 'ERR_REQUIRE_ASYNC_MODULE')
    }
    void module.evaluate().catch(() => {})
    if (module.status === 'errored') throw module.error
    return module.namespace
  }

  async #import(specifier: string, from: string): Promise<vm.Module> {
    const module = this.#link(() => this.#find(specifier, from))
    await module.evaluate()
    return module
  }

  /** Makes a module and all that it imports, and links them; what could not be linked whole is made anew the next time. */
  #link(make: () => vm.Module): vm.Module {
    const before = new Set(this.#esm.keys())
    try {
      const root = make()
      const waiting = [root]
      for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
        if (!(module instanceof vm.SourceTextModule) || module.status !== 'unlinked' || linked.has(module)) continue
        const { identifier } = module
        const wanted = module.moduleRequests.map((request) => this.#find(request.specifier, identifier))
        module.linkRequests(wanted)
        linked.add(module)
        waiting.push(...wanted)
      }
      if (root instanceof vm.SourceTextModule && root.status === 'unlinked') root.instantiate()
      return root
    } catch (error) {
      for (const key of this.#esm.keys()) if (!before.has(key)) this.#esm.delete(key)
      throw error
    }
  }

  #find(specifier: string, from: string): vm.Module {
    if (isBuiltin(specifier) || this.#program.graph === undefined) return this.#builtin(specifier)
    return this.#load(this.#gathered('import', specifier, from))
  }

  #load(path: string): vm.Module {
    const known = this.#esm.get(path)
    if (known !== undefined) return known
    const { format, language, text, exports } = this.#program.graph!.modules.get(path)!
    if (format === 'module') return this.#sourceText(path, plainText(text, language, path))
    return this.#synthetic(path, exports, () => this.#requirePath(path))
  }

  #builtin(specifier: string): vm.Module {
    const module = builtin(specifier, this.#replaced) as object
    const key = `node:${specifier.replace(/^node:/, '')}`
    return this.#esm.get(key) ?? this.#synthetic(key, Object.keys(module), () => module)
  }

  #sourceText(path: string, text: string): vm.Module {
    if (vm.SourceTextModule === undefined) {
      throw moduleError(path, 'it is an ES module, for which node needs the flag --experimental-vm-modules', 'ERR_ESM_UNSUPPORTED')
    }
    try {
      const module = new vm.SourceTextModule(text, {
        context: this.#realm.global,
        identifier: path,
        initializeImportMeta: (meta) => Object.assign(meta, { dirname: dirname(path), filename: path, url: pathToFileURL(path).href }),
        importModuleDynamically: ((specifier: string) => this.#import(specifier, path)) as never,
      })
      this.#esm.set(path, module)
      return module
    } catch (error) {
      throw withPlace(error, text, path)
    }
  }

  /** A module that exports what something else does, which is asked when its turn comes. */
  #synthetic(key: string, exports: readonly string[], make: () => unknown): vm.Module {
    const names = new Set([...exports, 'default'])
    const module = new vm.SyntheticModule(
      [...names],
      () => {
        const value = make() as Record<string, unknown> | null
        const isObject = (typeof value === 'object' || typeof value === 'function') && value !== null
        for (const name of names) module.setExport(name, name === 'default' ? value : isObject ? value[name] : undefined)
      },
      { context: this.#realm.global, identifier: key },
    )
    this.#esm.set(key, module)
    return module
  }

  #gathered(kind: 'import' | 'require', specifier: string, from: string): string {
    const { graph, path } = this.#program
    const found = gatheredPath(graph!, kind, specifier, from === path ? graph!.entry : from)
    if (found !== undefined && graph!.modules.has(found)) return found === graph!.entry ? path : found
    throw moduleError(
      specifier,
      `${from} asks for it, and it was not gathered. It must lie below the roots of the program, and its name stand in a module or in the option include`,
    )
  }
}

const linked = new WeakSet<vm.Module>()

function isModuleSyntaxError(error: unknown): boolean {
  if (!types.isNativeError(error) || error.name !== 'SyntaxError') return false
  return /^(Cannot use import statement outside a module|Cannot use 'import\.meta' outside a module|Unexpected token 'export')/.test(
    error.message,
  )
}
