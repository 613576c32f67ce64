/** One module of a program, as the outside hands it in. */
export type LoadedModule =
  | { readonly kind: 'text' | 'json'; readonly path: string; readonly text: string; readonly importName?: string }
  /** A module of Node's that this package does not bring along: each member throws when it is used. */
  | { readonly kind: 'unavailable'; readonly name: string; readonly members: readonly string[] }
  | { readonly kind: 'error'; readonly message: string; readonly code: string; readonly name?: string; readonly stack?: string }

interface Module {
  exports: unknown
  readonly id: string
  readonly path: string
  readonly filename: string
  loaded: boolean
  readonly children: unknown[]
  readonly require: { main: Module | undefined }
}

/**
 * CommonJS: `module`, `exports` and `require`. Runs inside the isolate: uses nothing but the language.
 * @param load asks the outside for a module; does not throw.
 * @param makeError makes an error of this isolate.
 * @param importer makes what stands for `import` in a module.
 * @param system answers the modules of this package, and no others.
 */
export function modules(
  load: (specifier: string, from: string) => LoadedModule,
  makeError: (facts: { name: string; message: string; code?: string; stack?: string }) => Error,
  importer: (path: string) => unknown,
  system: Function,
) {
  const { apply, defineProperty } = Reflect
  // biome-ignore lint/security/noGlobalEval: it is the program's own text, in the program's isolate.
  const evaluate = globalThis.eval
  const { parse } = JSON
  const { lastIndexOf, slice, startsWith } = String.prototype
  const loaded = { __proto__: null } as unknown as Record<string, Module>
  let main: Module | undefined

  /** Runs the main program, which was compiled outside. */
  function runMain(wrapper: Function, path: string): Module {
    main = makeModule(path, '.')
    main.require.main = main
    run(main, wrapper)
    return main
  }

  function run(module: Module, wrapper: Function): void {
    apply(wrapper, module.exports, [module.exports, module.require, module, module.filename, module.path, importer(module.filename)])
    module.loaded = true
  }

  function makeModule(path: string, id: string): Module {
    const module: Module = {
      exports: {},
      id,
      path: directoryOf(path),
      filename: path,
      loaded: false,
      children: [],
      require: makeRequire(path),
    }
    loaded[path] = module
    return module
  }

  function makeRequire(from: string) {
    const require = (specifier: unknown) => requireFrom(specifier, from)
    require.resolve = (specifier: unknown) => {
      const found = ask(specifier, from)
      return found.kind === 'unavailable' ? found.name : found.path
    }
    require.cache = { __proto__: null }
    require.main = main
    return require
  }

  function requireFrom(specifier: unknown, from: string): unknown {
    if (specifier === 'confine:system' && (apply(startsWith, from, ['confine:']) || apply(startsWith, from, ['node:']))) {
      return { system, module: loaded[from] }
    }
    const found = ask(specifier, from)
    if (found.kind === 'unavailable') return unavailable(found.name, found.members)
    const known = loaded[found.path]
    if (known !== undefined) return known.exports
    const module = makeModule(found.path, found.path)
    try {
      if (found.kind === 'json') module.exports = parse(found.text)
      // Only a direct compilation outside could name the first column right, and the outside is waiting for this one.
      else run(module, evaluate(`(function (${parameters(found.importName)}) {${found.text}\n})\n//# sourceURL=${found.path}`))
    } catch (error) {
      delete loaded[found.path]
      throw error
    }
    return module.exports
  }

  function parameters(importName: string | undefined): string {
    const names = 'exports, require, module, __filename, __dirname'
    return importName === undefined ? names : `${names}, ${importName}`
  }

  function ask(specifier: unknown, from: string): Exclude<LoadedModule, { kind: 'error' }> {
    if (typeof specifier !== 'string' || specifier === '') {
      throw makeError({
        name: 'TypeError',
        message: 'The name of a module must be a string that is not empty',
        code: 'ERR_INVALID_ARG_TYPE',
      })
    }
    const found = load(specifier, from)
    if (found.kind === 'error') throw makeError({ ...found, name: found.name ?? 'Error' })
    return found
  }

  /** A program may load what it does not use, so only using it fails. */
  function unavailable(name: string, members: readonly string[]): object {
    const module = {}
    for (let index = 0; index < members.length; index++) {
      const member = members[index]!
      const value = () => {
        throw makeError({ name: 'Error', message: `${name}.${member} is not available in this sandbox`, code: 'ERR_NOT_AVAILABLE' })
      }
      defineProperty(module, member, { __proto__: null, value, writable: true, enumerable: true, configurable: true } as PropertyDescriptor)
    }
    return module
  }

  function directoryOf(path: string): string {
    const slash = apply(lastIndexOf, path, ['/']) as number
    return slash > 0 ? (apply(slice, path, [0, slash]) as string) : '/'
  }

  return { runMain, requireFrom }
}
