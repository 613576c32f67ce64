import { pathToFileURL } from 'node:url'
import { ConfineError, type IsolationBackend, type RuntimeDescriptor } from '@confine-sandbox/contract'
import { checkOptionNames, type CoreSandboxOptions, nearestName, resolveRuntime, Sandbox as CoreSandbox } from '@confine-sandbox/core'
import { defaultIsolation } from './default-isolation.ts'

/** Options of a Sandbox. All but `runtime` are optional. */
export interface SandboxConstructorOpts extends Omit<CoreSandboxOptions, 'runtime' | 'isolation'> {
  /**
   * The runtime that runs the code in the guest: a package name, looked for from the working directory and then among
   * those that come with confine-sandbox; a path or `file:` URL; or a descriptor that `resolveRuntime` made.
   */
  runtime?: string | URL | RuntimeDescriptor
  /** What confines the guest. @default the platform's backend */
  isolation?: IsolationBackend
}

/** A confined guest process and the containers in it. Runtimes are given by name, the isolation is the platform's. */
export class Sandbox extends CoreSandbox {
  /**
   * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_RUNTIME_NOT_FOUND, ERR_CONFINE_RUNTIME_INVALID, ERR_CONFINE_ISOLATION_UNAVAILABLE
   *   on a platform without a backend, unless `noSandbox` is set.
   */
  constructor(opts: SandboxConstructorOpts) {
    const options = namesToObjects(opts)
    if (new.target === Sandbox) checkOptionNames(options)
    super(options)
  }
}

/** @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_RUNTIME_NOT_FOUND, ERR_CONFINE_RUNTIME_INVALID, ERR_CONFINE_ISOLATION_UNAVAILABLE */
export function namesToObjects(opts: SandboxConstructorOpts): CoreSandboxOptions {
  const { runtime, isolation, ...rest } = opts ?? {}
  if (runtime === undefined) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', "Name the runtime: new Sandbox({ runtime: 'jseval-confine-runtime' })")
  }
  return {
    ...rest,
    runtime: typeof runtime === 'string' || runtime instanceof URL ? findRuntime(runtime) : runtime,
    isolation: isolation ?? (rest.noSandbox === true ? undefined : platformIsolation()),
  }
}

/** A package is looked for once, as `require()` does it. What is named by its path may be somebody's work in progress. */
function findRuntime(name: string | URL): RuntimeDescriptor {
  if (name instanceof URL || /^(\.|\/|file:)/.test(name)) return resolveRuntime(name, lookupPlaces())
  const key = `${process.cwd()}\0${name}`
  const found = known.runtimes.get(key) ?? findPackage(name)
  known.runtimes.set(key, found)
  return found
}

function findPackage(name: string): RuntimeDescriptor {
  try {
    return resolveRuntime(name, lookupPlaces())
  } catch (error) {
    const near = nearestName(name.replace(suffix, ''), runtimesOfOurs)
    if (near === undefined || near + suffix === name || !ConfineError.is(error) || error.code !== 'ERR_CONFINE_RUNTIME_NOT_FOUND')
      throw error
    // Not the advice to install it: under a name that was misspelt a stranger's package may wait.
    const message = `There is no runtime ${name}; did you mean ${near}${suffix}?`
    throw new ConfineError('ERR_CONFINE_RUNTIME_NOT_FOUND', message, { cause: error })
  }
}

const runtimesOfOurs = ['jseval', 'jsisolate', 'quickjs', 'wasm']
const suffix = '-confine-runtime'

/** One for all sandboxes: what it learns about this machine, and the filters that it compiles, stay the same. */
function platformIsolation(): IsolationBackend {
  known.isolation ??= defaultIsolation()
  return known.isolation
}

// Of the process, and only to be fast: a second copy of this module finds out the same.
const known: { isolation?: IsolationBackend; readonly runtimes: Map<string, RuntimeDescriptor> } = { runtimes: new Map() }

/** The user's project first, then this package, which brings the two runtimes along. */
function lookupPlaces(): (string | URL)[] {
  return [pathToFileURL(`${process.cwd()}/`), import.meta.url]
}
