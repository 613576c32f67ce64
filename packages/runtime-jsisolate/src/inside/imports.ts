import type { HostError, Task } from './host-calls.ts'

/** A function that stands for the word `import` in one module: it is called, or asked for `meta`. */
export type Importer = ((specifier: unknown) => Promise<unknown>) & { meta: object }

/**
 * `import()` and `import.meta`. Runs inside the isolate: uses nothing but the language.
 * @param ask asks the outside to load a module; without a name, tells it that one has arrived.
 * @param task what runs now.
 */
export function dynamicImports(
  ask: (id: number, specifier?: string, from?: string) => void,
  makeError: (facts: HostError) => Error,
  task: Task,
) {
  const { defineProperty } = Reflect
  const { lastIndexOf, slice } = String.prototype
  const { apply } = Reflect
  const encode = encodeURI
  const PromiseConstructor = Promise
  const toText = String
  interface Waiting {
    resolve(value: unknown): void
    reject(error: unknown): void
    readonly operation: number
  }
  const waiting = { __proto__: null } as unknown as Record<number, Waiting>
  const arrived = { __proto__: null } as unknown as Record<string, unknown>
  let lastId = 0

  function importer(path: string): Importer {
    const load = (specifier: unknown) =>
      new PromiseConstructor<unknown>((resolve, reject) => {
        const name = toText(specifier)
        const id = ++lastId
        waiting[id] = { resolve, reject, operation: task.operation }
        ask(id, name, path)
      })
    const slash = apply(lastIndexOf, path, ['/']) as number
    const meta = { __proto__: null, dirname: apply(slice, path, [0, slash > 0 ? slash : 1]), filename: path, url: `file://${encode(path)}` }
    return defineMeta(load, meta)
  }

  function defineMeta(load: (specifier: unknown) => Promise<unknown>, meta: object): Importer {
    defineProperty(load, 'meta', { __proto__: null, value: meta } as PropertyDescriptor)
    return load as Importer
  }

  /** A module is about to run for one of the imports. */
  function importing(id: number): void {
    task.operation = waiting[id]?.operation ?? 0
  }

  /** A module was loaded; `namespace` is absent when it has been before. */
  function imported(id: number, path: string, namespace?: unknown): void {
    if (namespace !== undefined) arrived[path] = namespace
    const promise = take(id)
    ask(id)
    promise?.resolve(arrived[path])
  }

  function importFailed(id: number, facts: HostError): void {
    take(id)?.reject(makeError(facts))
  }

  function take(id: number): Waiting | undefined {
    const promise = waiting[id]
    delete waiting[id]
    if (promise !== undefined) task.operation = promise.operation
    return promise
  }

  return { importer, importing, imported, importFailed }
}
