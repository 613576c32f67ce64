/** One module of a program, as the outside finds it. */
export type FoundModule =
  | { readonly kind: 'commonjs'; readonly path: string }
  | { readonly kind: 'json'; readonly path: string; readonly text: string }
  | { readonly kind: 'error'; readonly name?: string; readonly message: string; readonly code?: string; readonly stack?: string }

interface Module {
  exports: unknown
  readonly id: string
  readonly path: string
  readonly filename: string
  loaded: boolean
  readonly require: Require
}

interface Require {
  (specifier: unknown): unknown
  resolve(specifier: unknown): string
  readonly cache: object
  main: Module | undefined
}

/** CommonJS in the engine. */
export interface Modules {
  /** The module of the program. */
  main(path: string): Module
  run(module: Module, wrapper: Function): void
  require(specifier: unknown, from: string): unknown
}

/**
 * CommonJS: `module`, `exports` and `require`. Crosses into the engine as its own text.
 * @param find asks the outside where a name leads. Does not throw.
 * @param compile asks the outside for the function of a module that was found. @throws SyntaxError
 */
export function modules(find: (specifier: string, from: string) => FoundModule, compile: (path: string) => Function): Modules {
  const loaded = new Map<string, Module>()
  let main: Module | undefined

  const directoryOf = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/'

  const ask = (specifier: unknown, from: string) => {
    if (typeof specifier !== 'string' || specifier === '') {
      throw Object.assign(new TypeError('The name of a module must be a string that is not empty'), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    const found = find(specifier, from)
    if (found.kind !== 'error') return found
    const error = Object.assign(found.name === 'SyntaxError' ? new SyntaxError(found.message) : new Error(found.message), {
      code: found.code,
    })
    if (found.stack !== undefined) Object.defineProperty(error, 'stack', { value: found.stack, writable: true, configurable: true })
    throw error
  }

  const make = (path: string, id: string): Module => {
    const load = (specifier: unknown) => require(specifier, path)
    const requireOf: Require = Object.assign(load, {
      resolve: (specifier: unknown) => ask(specifier, path).path,
      cache: Object.create(null) as object,
      main,
    })
    const module: Module = { exports: {}, id, path: directoryOf(path), filename: path, loaded: false, require: requireOf }
    loaded.set(path, module)
    return module
  }

  const run = (module: Module, wrapper: Function): void => {
    Reflect.apply(wrapper, module.exports, [module.exports, module.require, module, module.filename, module.path])
    module.loaded = true
  }

  const require = (specifier: unknown, from: string): unknown => {
    const found = ask(specifier, from)
    const known = loaded.get(found.path)
    if (known !== undefined) return known.exports
    const module = make(found.path, found.path)
    try {
      if (found.kind === 'json') module.exports = JSON.parse(found.text)
      else run(module, compile(found.path))
    } catch (error) {
      loaded.delete(found.path)
      throw error
    }
    return module.exports
  }

  return {
    main(path) {
      main = make(path, '.')
      main.require.main = main
      return main
    },
    run,
    require,
  }
}
