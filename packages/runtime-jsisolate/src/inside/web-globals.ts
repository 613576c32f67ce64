/**
 * Puts globals of the web, and with `env: 'nodejs'` of Node, on the global object. What is behind them is loaded when the
 * first of them is read. Runs inside the isolate: uses nothing but the language.
 * @param requireFrom loads a module for one of ours.
 */
export function webGlobals(realm: object, env: 'vanilla' | 'nodejs', requireFrom: (specifier: string, from: string) => unknown): void {
  const { defineProperty, get: read } = Reflect
  const names = [
    'AbortController',
    'AbortSignal',
    'CustomEvent',
    'DOMException',
    'Event',
    'EventTarget',
    'TextDecoder',
    'TextEncoder',
    'URL',
    'URLSearchParams',
    'atob',
    'btoa',
    'crypto',
    'performance',
  ]
  for (let index = 0; index < names.length; index++) lazy(names[index]!, 'confine:web')
  if (env === 'nodejs') lazy('Buffer', 'buffer')
  const { WebAssembly } = realm as { WebAssembly?: WebAssemblyObject }
  if (WebAssembly !== undefined) compileAtOnce(WebAssembly)

  /** What V8 compiles in the background would be noticed only when the isolate is entered the next time. */
  function compileAtOnce(webAssembly: WebAssemblyObject): void {
    const { Module, Instance } = webAssembly
    const compile = async (bytes: unknown) => new Module(bytes)
    const instantiate = async (source: unknown, imports?: unknown) => {
      if (source instanceof Module) return new Instance(source, imports)
      const module = new Module(source)
      return { module, instance: new Instance(module, imports) }
    }
    const functions = { __proto__: null, compile, instantiate }
    for (const name in functions) {
      const value = functions[name as 'compile' | 'instantiate']
      defineProperty(webAssembly, name, {
        __proto__: null,
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      } as PropertyDescriptor)
    }
  }

  function lazy(name: string, module: string): void {
    const set = (target: object, value: unknown) =>
      defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true } as PropertyDescriptor)
    defineProperty(realm, name, {
      __proto__: null,
      get() {
        const value: unknown = read(requireFrom(module, 'confine:globals') as object, name)
        set(realm, value)
        return value
      },
      set(value: unknown) {
        set(realm, value)
      },
      enumerable: false,
      configurable: true,
    } as PropertyDescriptor)
  }
}

interface WebAssemblyObject {
  readonly Module: new (bytes: unknown) => object
  readonly Instance: new (module: object, imports?: unknown) => object
}
