/** What a module's text asks for. */
export interface ModuleRequests {
  readonly imports: readonly string[]
  readonly requires: readonly string[]
  /** Whether it imports something whose name is not in the text. */
  readonly isComputed: boolean
  /** Whether the text can only be an ES module. */
  readonly isModule: boolean
}

/** Reads texts for what they ask for; made once, as the lexers have to be loaded. */
export interface Lexers {
  requests(text: string): ModuleRequests
  /** The names that a CommonJS text exports, and the modules whose names it exports as well. */
  exportNames(text: string): { readonly exports: readonly string[]; readonly reexports: readonly string[] }
}

/** Loads es-module-lexer and cjs-module-lexer. Both only look at the text: nothing of it runs. */
export async function loadLexers(): Promise<Lexers> {
  const [esm, cjs] = await Promise.all([import('es-module-lexer'), import('cjs-module-lexer')])
  await esm.init()
  cjs.initSync()

  return {
    requests(text) {
      const requires = new Set<string>()
      for (const match of text.matchAll(requireCall)) requires.add((match[1] ?? match[2] ?? match[3])!)
      const imports = new Set<string>()
      try {
        const [found, , , isModule] = esm.parse(text)
        const isComputed = found.some((one) => one.type === 'dynamic' && (one.glob || one.specifier === undefined))
        for (const one of found) {
          if (one.type === 'import-meta' || one.phase !== null) continue
          // A type leaves no import behind; a template is no name.
          if (one.type === 'dynamic' ? one.glob : one.typeOnly) continue
          if (one.specifier !== undefined) imports.add(one.specifier)
        }
        return { imports: [...imports], requires: [...requires], isComputed, isModule }
      } catch {
        // The text cannot be run either: the guest says what is wrong with it.
        return { imports: [], requires: [...requires], isComputed: false, isModule: false }
      }
    },
    exportNames(text) {
      try {
        return cjs.parse(text)
      } catch {
        return { exports: [], reexports: [] }
      }
    },
  }
}

/** Also finds what stands in comments and strings: too much is gathered then, and nothing else happens. */
const requireCall = /(?<![.\w$])require(?:\.resolve)?\s*\(\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)"|`([^`\\$\n]+)`)\s*[,)]/g
