/// <reference path="./webassembly.d.ts" />
import type { ImportedMemory } from './limited-module.ts'

/** What a module is given. */
export interface ModuleImports {
  readonly imports: Record<string, Record<string, unknown>>
  /** The memory that it imports, if any. */
  readonly memory: WebAssembly.Memory | undefined
}

/** Where the imports of a module come from. */
export interface ImportSources {
  readonly globals: Readonly<Record<string, unknown>>
  readonly wasi: Readonly<Record<string, unknown>>
  readonly memories: readonly ImportedMemory[]
  /** Calls a function of the host, as long as the container is open. */
  callHost(call: () => unknown): Promise<unknown>
}

/**
 * Finds what a module imports. Only what it names is given, and own properties only.
 * @throws TypeError that names what there is not.
 */
export function moduleImports(module: WebAssembly.Module, { globals, wasi, memories, callHost }: ImportSources): ModuleImports {
  const imports: Record<string, Record<string, unknown>> = {}
  let memory: WebAssembly.Memory | undefined
  const give = (from: string, name: string, value: unknown) => {
    // Neither table has a prototype: a module may be called __proto__.
    imports[from] ??= Object.create(null) as Record<string, unknown>
    imports[from][name] = value
  }
  Object.setPrototypeOf(imports, null)
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const isWasi = from === 'wasi_snapshot_preview1'
    const value = isWasi ? own(wasi, name) : hostValue(globals, from, name)
    if (kind === 'memory') {
      const wanted = memories.find((one) => one.module === from && one.name === name)!
      const made = new WebAssembly.Memory(wanted)
      memory ??= made
      give(from, name, made)
    } else if (kind === 'function' && typeof value === 'function') {
      give(from, name, isWasi ? value : suspending(value, own(globals, from), callHost))
    } else if (kind === 'global' && (typeof value === 'number' || typeof value === 'bigint')) {
      give(from, name, value)
    } else {
      throw new TypeError(`The module imports the ${kind} ${from}.${name}, which the host does not give`)
    }
  }
  return { imports, memory }
}

/** What crosses between a module and others: numbers, and nothing where a function returns nothing. */
export function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** A host function as an import for which the module waits. */
function suspending(host: Function, owner: unknown, callHost: ImportSources['callHost']): unknown {
  const call = async (args: readonly unknown[]) => {
    if (!args.every(isNumeric)) throw new TypeError(`${host.name} takes numbers only: a reference of the module does not leave it`)
    const result = await callHost(() => Reflect.apply(host, owner, args))
    if (result === undefined || isNumeric(result)) return result
    if (typeof result === 'boolean') return Number(result)
    throw new TypeError(`${host.name} gave ${kindOf(result)}; a module takes numbers only`)
  }
  return new WebAssembly.Suspending((...args) => {
    const result = call(args)
    // An import that is itself the start function is called without anybody waiting for it.
    result.catch(() => {})
    return result
  })
}

function hostValue(globals: Readonly<Record<string, unknown>>, from: string, name: string): unknown {
  const group = own(globals, from)
  const value = typeof group === 'object' && group !== null ? own(group as Record<string, unknown>, name) : undefined
  return value === undefined && from === 'env' ? own(globals, name) : value
}

function own(group: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(group, name) ? group[name] : undefined
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
