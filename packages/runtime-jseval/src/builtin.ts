/** The modules of Node that a program has its own of, by their names without `node:`; undefined for all others. */
export type ReplacedModules = (name: string) => unknown

/**
 * Loads one of Node's own modules.
 * @param replaced Modules that the program has its own of.
 * @throws an error with the code MODULE_NOT_FOUND for every other name.
 */
export function builtin(id: unknown, replaced?: ReplacedModules): unknown {
  if (typeof id !== 'string' || id === '') {
    throw Object.assign(new TypeError('The name of a module must be a string that is not empty'), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  const own = replaced?.(id.replace(/^node:/, ''))
  if (own !== undefined) return own
  const module = process.getBuiltinModule(id)
  if (module !== undefined) return module
  throw moduleError(
    id,
    "it is none of Node's, and was not gathered. Give the program as files, with a sourcePath or with roots, or bundle it into the source",
  )
}

/** Whether a name is that of one of Node's own modules. */
export function isBuiltin(id: string): boolean {
  // Loaded for programs that ask for a module alone, as all that is not needed for the first call.
  return process.getBuiltinModule('node:module').isBuiltin(id)
}

/** What a module that cannot be loaded fails with. */
export function moduleError(id: string, reason: string, code = 'MODULE_NOT_FOUND'): Error {
  return Object.assign(new Error(`Cannot load the module ${JSON.stringify(id)}: ${reason}.`), { code })
}
