import type { Script } from 'node:vm'
import { ConfineError, type RuntimeClass } from '@confine-sandbox/contract'
import { runText } from './script.ts'

/** What comes with a runtime that is one file. */
export interface RuntimeBundle {
  /** What V8 knows of its text. */
  readonly code?: Uint8Array | undefined
  /** Absolute paths of native addons, by the names that it asks for them by. */
  readonly addons?: Readonly<Record<string, string>> | undefined
  /** Is told its script when it ran. */
  readonly compiled?: (script: Script) => void
}

/**
 * Loads a runtime module and takes its class: the module itself, or its default export.
 * @param bundle Given when it is one CommonJS file that asks for nothing but Node's own modules and the addons that come with it.
 * @throws ERR_CONFINE_RUNTIME_INVALID when it does not load or its main export is no runtime class.
 */
export function loadRuntime(path: string, bundle?: RuntimeBundle): RuntimeClass {
  const load = bundle === undefined ? undefined : () => requireBundle(path, bundle)
  const loaded = loadModule(path, 'the runtime', load)
  const candidate = typeof loaded === 'object' && loaded !== null ? (loaded as { default?: unknown }).default : loaded
  const missing = whatLacks(candidate)
  if (missing !== undefined) {
    throw new ConfineError(
      'ERR_CONFINE_RUNTIME_INVALID',
      `The main export of the runtime ${path} ${missing}. It must be a class that extends AbstractConfineRuntime of abstract-confine-runtime`,
    )
  }
  return candidate as RuntimeClass
}

/**
 * Loads a module of a runtime.
 * @param what How an error calls it.
 * @throws ERR_CONFINE_RUNTIME_INVALID
 */
export function loadModule(path: string, what: string, load = requireModule): unknown {
  try {
    return load(path)
  } catch (error) {
    throw new ConfineError('ERR_CONFINE_RUNTIME_INVALID', `Cannot load ${what} ${path}: ${reason(error)}`, { cause: error })
  }
}

function requireModule(path: string): unknown {
  return process.getBuiltinModule('node:module').createRequire(path)(path)
}

/** As `require()` would, without a look at any other file: each takes a question of the system, and its answer the supervisor. */
function requireBundle(path: string, { code, addons = {}, compiled }: RuntimeBundle): unknown {
  const module = { exports: {} as unknown }
  const require = (id: string) => (Object.hasOwn(addons, id) ? requireAddon(addons[id] as string) : requireBuiltin(id))
  const script = runText({ path, kind: 'runtime' }, code, require, module.exports, module)
  compiled?.(script)
  return module.exports
}

function requireAddon(path: string): unknown {
  const module = { exports: {} as unknown }
  process.dlopen(module, path)
  return module.exports
}

function requireBuiltin(id: string): unknown {
  const module = process.getBuiltinModule(id)
  if (module === undefined)
    throw new Error(`It asks for ${id}, and a bundle can have Node's own modules and the addons of its manifest only`)
  return module
}

/** Those that every version of abstract-confine-runtime has; `configure` came with 0.4. */
const runtimeMethods = ['init', 'run', 'close', 'handleAPICall', 'on'] as const

/** By shape: a runtime may bring a copy of abstract-confine-runtime of its own, so identity proves nothing. */
function whatLacks(candidate: unknown): string | undefined {
  if (typeof candidate !== 'function') return 'is no class'
  const prototype = (candidate as { prototype?: Record<string, unknown> }).prototype
  if (typeof prototype !== 'object' || prototype === null) return 'is no class'
  const missing = runtimeMethods.filter((name) => typeof prototype[name] !== 'function')
  return missing.length === 0 ? undefined : `has no ${missing.join(', no ')}`
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
