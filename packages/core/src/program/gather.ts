import { setImmediate as nextTurn } from 'node:timers/promises'
import { dirname } from 'node:path'
import type { GatheredModule, ModuleGraph } from '@confine-sandbox/contract'
import { abortError } from '../abort.ts'
import { type Draft, nameExports } from './export-names.ts'
import { graphLimits, tooMuch } from './graph-limits.ts'
import type { ModuleFiles } from './module-files.ts'
import { type Lexers, loadLexers } from './module-requests.ts'
import { nearest, resolveModule } from './resolve-module.ts'

/** What to gather. */
export interface GatherOptions {
  readonly files: ModuleFiles
  /** Path of the program. */
  readonly entry: string
  /** The program's text, when it is not that of the file. */
  readonly text?: string | undefined
  /** Paths to gather whether they are asked for or not. */
  readonly others?: Iterable<string>
  /** Names to gather as if the program imported and required them. */
  readonly include?: readonly string[]
  /** How the program is written, when that does not follow from its path. */
  readonly language?: 'js' | 'ts' | undefined
  readonly conditions: readonly string[]
  /** Ends the work. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Gathers a program and every module that can be seen to be asked for. The texts are untrusted: they are looked at and
 * not run, each step is bounded, and the event loop turns in between.
 * @throws ERR_CONFINE_LIMIT, ERR_CONFINE_SOURCE_UNREADABLE, ERR_CONFINE_ABORTED
 */
export async function gather(options: GatherOptions): Promise<ModuleGraph> {
  const { files, entry } = options
  const lexers = await loadLexers()
  const modules = new Map<string, Draft>()
  const waiting = [entry, ...(options.others ?? [])]
  const budget = { bytes: graphLimits.totalMiB * 1024 * 1024, specifiers: graphLimits.specifiers as number }
  const start = performance.now()
  let turnStart = start
  const pause = async () => {
    if (performance.now() - turnStart <= turnMs) return
    await nextTurn()
    if (options.signal?.aborted) throw abortError(options.signal)
    turnStart = performance.now()
    if (turnStart - start > graphLimits.seconds * 1000) throw tooMuch(`that took more than ${graphLimits.seconds} seconds`)
  }

  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (modules.has(path)) continue
    await pause()
    if (modules.size >= graphLimits.modules) throw tooMuch(`it has more than ${graphLimits.modules} modules`)
    const isEntry = path === entry
    const text = (isEntry ? options.text : undefined) ?? files.text(path)
    budget.bytes -= Buffer.byteLength(text)
    if (budget.bytes < 0) throw tooMuch(`its modules are larger than ${graphLimits.totalMiB} MiB`)
    const module = draft(files, lexers, path, text, isEntry, isEntry ? options.language : undefined)
    modules.set(path, module)
    const include = isEntry ? (options.include ?? []) : []
    for (const kind of ['import', 'require'] as const) {
      const links = kind === 'import' ? module.imports : module.requires
      for (const specifier of [...(kind === 'import' ? module.asked.imports : module.asked.requires), ...include]) {
        if (budget.specifiers-- <= 0) throw tooMuch(`its modules ask for more than ${graphLimits.specifiers} others`)
        const target = resolveModule(files, kind, specifier, path, options.conditions)
        if (target === undefined) continue
        links.set(specifier, target)
        waiting.push(target)
        await pause()
      }
    }
  }
  await nameExports(modules, lexers, pause)
  return { entry, modules: new Map([...modules].map(([path, module]) => [path, finished(module)])) }
}

/** How long the event loop waits for this work at a time, a single file aside. */
const turnMs = 10

function draft(files: ModuleFiles, lexers: Lexers, path: string, text: string, isEntry: boolean, language: 'js' | 'ts' | undefined): Draft {
  const common = { text: text.replace(/^\uFEFF/, ''), imports: new Map(), requires: new Map(), exports: [] }
  if (path.endsWith('.json')) return { ...common, format: 'json', language: 'js', asked: { imports: [], requires: [], isComputed: false } }
  const asked = lexers.requests(common.text)
  const format = formatOf(files, path, asked.isModule)
  // Only a CommonJS text has a `require`; to look for what others ask for would gather too much. How the program itself
  // is written may be an option of the runtime.
  const requires = format === 'commonjs' || isEntry ? asked.requires : []
  return { ...common, format, language: language ?? (/\.[cm]?ts$/.test(path) ? 'ts' : 'js'), asked: { ...asked, requires } }
}

/** As Node decides it: by the ending, by the package's `type`, by the text. */
function formatOf(files: ModuleFiles, path: string, isModule: boolean): 'commonjs' | 'module' {
  if (/\.m[jt]s$/.test(path)) return 'module'
  if (/\.c[jt]s$/.test(path)) return 'commonjs'
  const type = nearest(files, dirname(path))?.manifest.type
  return type === 'module' || (type !== 'commonjs' && isModule) ? 'module' : 'commonjs'
}

function finished({ format, language, text, imports, requires, exports }: Draft): GatheredModule {
  return { format, language, text, imports, requires, exports }
}
