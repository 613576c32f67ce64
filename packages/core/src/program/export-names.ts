import type { GatheredModule } from '@confine-sandbox/contract'
import { graphLimits, tooMuch } from './graph-limits.ts'
import type { Lexers, ModuleRequests } from './module-requests.ts'

/** A module that is being gathered. */
export interface Draft {
  readonly format: GatheredModule['format']
  readonly language: 'js' | 'ts'
  readonly text: string
  readonly asked: Omit<ModuleRequests, 'isModule'>
  readonly imports: Map<string, string>
  readonly requires: Map<string, string>
  exports: readonly string[]
}

/**
 * Names what CommonJS modules export. Only what ES modules import needs its names known before it runs.
 * @param pause lets the event loop turn when it is time to.
 * @throws ERR_CONFINE_LIMIT, and what `pause` throws.
 */
export async function nameExports(modules: ReadonlyMap<string, Draft>, lexers: Lexers, pause: () => Promise<void>): Promise<void> {
  const known = new Map<Draft, ReturnType<Lexers['exportNames']>>()
  const named = new Set<Draft>()
  let left: number = graphLimits.exports

  const lexed = (module: Draft) => {
    const found = known.get(module) ?? lexers.exportNames(module.text)
    known.set(module, found)
    return found
  }

  /** Its own names, and those of the modules that it exports again. */
  const namesOf = async (module: Draft) => {
    const names = new Set<string>()
    const seen = new Set<Draft>()
    const pending = [module]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next) || next.format !== 'commonjs') continue
      seen.add(next)
      await pause()
      const { exports, reexports } = lexed(next)
      for (const name of exports) if (name !== 'default') names.add(name)
      for (const specifier of reexports) {
        const target = modules.get(next.requires.get(specifier) ?? '')
        if (target !== undefined) pending.push(target)
      }
      if (names.size > left) throw tooMuch(`its CommonJS modules export more than ${graphLimits.exports} names`)
    }
    left -= names.size
    return [...names]
  }

  const drafts = [...modules.values()]
  // A name that is computed may lead to any of them.
  const isComputed = drafts.some(({ asked }) => asked.isComputed)
  for (const imports of isComputed ? [modules.keys()] : drafts.map((one) => one.imports.values())) {
    for (const path of imports) {
      const module = modules.get(path)
      if (module === undefined || module.format !== 'commonjs' || named.has(module)) continue
      named.add(module)
      module.exports = await namesOf(module)
    }
  }
}
