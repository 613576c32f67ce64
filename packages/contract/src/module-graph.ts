/**
 * A program and the modules that it can load, gathered by the host and sent to the guest as data: the guest needs no
 * files. Paths are absolute, with `/`, and mean nothing but their place in this graph.
 */
export interface ModuleGraph {
  /** Path of the program; it is among the modules. */
  readonly entry: string
  /** Every module, by its path. */
  readonly modules: ReadonlyMap<string, GatheredModule>
}

/** One module of a graph. */
export interface GatheredModule {
  /** How its text is to be understood. */
  readonly format: 'commonjs' | 'module' | 'json'
  /** 'ts': the types are still in the text. */
  readonly language: 'js' | 'ts'
  readonly text: string
  /** Where the names lead that it imports: paths of this graph. What could not be gathered, and Node's own modules, are not in here. */
  readonly imports: ReadonlyMap<string, string>
  /** The same for `require`, which a package may answer with another file. */
  readonly requires: ReadonlyMap<string, string>
  /** The names that an ES module may import of a CommonJS module, 'default' not among them. */
  readonly exports: readonly string[]
}

/**
 * Finds the module that a name leads to, at run time: one that was named in the text of `from`, a path below that leads
 * to any gathered module, or a package that the program itself loads.
 * @returns The module's path, or undefined when it was not gathered.
 */
export function gatheredPath(graph: ModuleGraph, kind: 'import' | 'require', specifier: string, from: string): string | undefined {
  const links = kind === 'import' ? 'imports' : 'requires'
  const linked = graph.modules.get(from)?.[links].get(specifier)
  if (linked !== undefined) return linked
  if (!/^(\.{0,2}\/|\.{1,2}$|file:\/\/\/)/.test(specifier)) return graph.modules.get(graph.entry)?.[links].get(specifier)
  const path = joined(from, specifier.replace(/^file:\/\//, ''))
  return [path, ...endings.map((ending) => path + ending)].find((candidate) => graph.modules.has(candidate))
}

const endings = ['.js', '.json', '.cjs', '.mjs', '.ts', '.mts', '.cts', '/index.js', '/index.json', '/index.ts']

/** The path that a relative one means beside `from`. */
function joined(from: string, specifier: string): string {
  const parts = specifier.startsWith('/') ? [] : from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.filter((part) => part !== '').join('/')}`
}
