/**
 * What the `exports` or `imports` of a package.json give for a name, as Node reads them; both are the program's word. Ours
 * because of that: no text of theirs becomes a regular expression, and each step is bounded by the size of the file.
 * // https://nodejs.org/api/esm.html#resolution-algorithm-specification
 */

/**
 * The targets for a path of a package: `.` or `./x`.
 * @returns The most wanted first; none when the package does not export it.
 */
export function exportTargets(exports: unknown, path: string, conditions: ReadonlySet<string>): readonly string[] {
  const isMap = isObject(exports) && Object.keys(exports).some((key) => key.startsWith('.'))
  return targetsIn(isMap ? exports : { '.': exports }, path, conditions)
}

/** The targets for a name that begins with `#`. */
export function importTargets(imports: unknown, name: string, conditions: ReadonlySet<string>): readonly string[] {
  return isObject(imports) ? targetsIn(imports, name, conditions) : []
}

function targetsIn(map: Readonly<Record<string, unknown>>, name: string, conditions: ReadonlySet<string>): readonly string[] {
  if (Object.hasOwn(map, name) && !name.includes('*') && !name.endsWith('/'))
    return (chosen(map[name], '', conditions) ?? []).slice(0, mostTargets)
  let best: Pattern | undefined
  for (const key of Object.keys(map)) {
    const pattern = patternOf(key)
    if (pattern !== undefined && fits(pattern, name) && (best === undefined || isMoreSpecific(pattern, best))) best = pattern
  }
  if (best === undefined) return []
  const match = name.slice(best.base.length, name.length - best.trailer.length)
  return (chosen(map[best.key], match, conditions) ?? []).slice(0, mostTargets)
}

interface Pattern {
  readonly key: string
  /** What stands before the star. */
  readonly base: string
  /** What stands behind it. */
  readonly trailer: string
}

function patternOf(key: string): Pattern | undefined {
  const star = key.indexOf('*')
  if (star === -1 || star !== key.lastIndexOf('*')) return undefined
  return { key, base: key.slice(0, star), trailer: key.slice(star + 1) }
}

function fits({ key, base, trailer }: Pattern, name: string): boolean {
  return name.length >= key.length && name !== base && name.startsWith(base) && name.endsWith(trailer)
}

function isMoreSpecific(one: Pattern, other: Pattern): boolean {
  return one.base.length === other.base.length ? one.key.length > other.key.length : one.base.length > other.base.length
}

/** Follows the conditions, the first that holds and says something. Undefined: it says nothing, and the next one counts. */
function chosen(target: unknown, match: string, conditions: ReadonlySet<string>): readonly string[] | undefined {
  if (typeof target === 'string') return filledIn(target, match)
  if (target === null) return []
  if (Array.isArray(target)) return target.flatMap((one) => chosen(one, match, conditions) ?? [])
  if (!isObject(target)) return undefined
  for (const [condition, inner] of Object.entries(target)) {
    if (condition !== 'default' && !conditions.has(condition)) continue
    const found = chosen(inner, match, conditions)
    if (found !== undefined) return found
  }
  return undefined
}

/** Every star stands for the same. */
function filledIn(target: string, match: string): readonly string[] {
  const parts = target.split('*')
  return target.length + (parts.length - 1) * match.length > longestPath ? [] : [parts.join(match)]
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Of one list: each is looked for. */
const mostTargets = 8

/** No file system has a longer one. */
export const longestPath = 4096
