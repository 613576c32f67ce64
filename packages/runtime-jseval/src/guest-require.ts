/**
 * The `require` of the program: Node's own modules, and no others, so that it never looks for a file.
 * @param replaced modules that the program has its own of.
 */
export function guestRequire(replaced: ReadonlyMap<string, unknown>): NodeJS.Require {
  const load = (id: unknown) => builtin(id, replaced)
  const resolve = (id: unknown) => {
    builtin(id, replaced)
    return String(id)
  }
  return Object.assign(load, {
    resolve: Object.assign(resolve, { paths: () => null }),
    cache: Object.create(null),
    extensions: Object.create(null),
    main: undefined,
  }) as unknown as NodeJS.Require
}

/** Loads one of Node's own modules. @throws an error with the code MODULE_NOT_FOUND for every other name. */
export function builtin(id: unknown, replaced?: ReadonlyMap<string, unknown>): unknown {
  if (typeof id !== 'string' || id === '') {
    throw Object.assign(new TypeError('The name of a module must be a string that is not empty'), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  const own = replaced?.get(id.replace(/^node:/, ''))
  if (own !== undefined) return own
  const module = process.getBuiltinModule(id)
  if (module !== undefined) return module
  const message = `Cannot load the module ${JSON.stringify(id)}: modules cannot be loaded from files in this sandbox, only Node's own. Bundle it into the source.`
  throw Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' })
}
