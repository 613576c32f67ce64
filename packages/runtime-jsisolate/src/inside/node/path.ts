/** Node's `path` for POSIX. Runs inside the isolate: uses nothing but the language. */
export function pathModule() {
  const isAbsolute = (path: string) => check(path).startsWith('/')

  function check(path: unknown, name = 'path'): string {
    if (typeof path === 'string') return path
    throw Object.assign(new TypeError(`The "${name}" argument must be of type string`), { code: 'ERR_INVALID_ARG_TYPE' })
  }

  /** Removes `.` and `..`; a relative path keeps the `..` that lead out of it. */
  function reduce(path: string, isRooted: boolean): string {
    const parts: string[] = []
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue
      if (part !== '..') parts.push(part)
      else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
      else if (!isRooted) parts.push('..')
    }
    return parts.join('/')
  }

  function normalize(path: string): string {
    if (check(path) === '') return '.'
    const isRooted = isAbsolute(path)
    const body = reduce(path, isRooted)
    const tail = path.endsWith('/') && body !== '' ? '/' : ''
    if (body === '') return isRooted ? '/' : path.endsWith('/') ? './' : '.'
    return `${isRooted ? '/' : ''}${body}${tail}`
  }

  function join(...paths: string[]): string {
    const joined = paths
      .map((path) => check(path))
      .filter((path) => path !== '')
      .join('/')
    return joined === '' ? '.' : normalize(joined)
  }

  /** The working directory is always `/`. */
  function resolve(...paths: string[]): string {
    let resolved = ''
    for (let index = paths.length - 1; index >= 0 && !resolved.startsWith('/'); index--) {
      const path = check(paths[index], `paths[${index}]`)
      if (path !== '') resolved = resolved === '' ? path : `${path}/${resolved}`
    }
    return `/${reduce(resolved, true)}`
  }

  function relative(from: string, to: string): string {
    const source = resolve(check(from, 'from')).split('/').filter(Boolean)
    const target = resolve(check(to, 'to')).split('/').filter(Boolean)
    let shared = 0
    while (shared < source.length && shared < target.length && source[shared] === target[shared]) shared++
    return [...source.slice(shared).map(() => '..'), ...target.slice(shared)].join('/')
  }

  function dirname(path: string): string {
    const slash = lastSlash(check(path))
    if (slash <= 0) return path.startsWith('/') ? '/' : '.'
    return slash === 1 && path.startsWith('/') ? '//' : path.slice(0, slash)
  }

  function basename(path: string, suffix?: string): string {
    if (check(path) === suffix) return ''
    const base = path.slice(lastSlash(path) + 1).replace(/\/+$/, '')
    return suffix !== undefined && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base
  }

  /** Where the slash before the last part stands. */
  function lastSlash(path: string): number {
    return path.replace(/\/+$/, '').lastIndexOf('/')
  }

  function extname(path: string): string {
    const base = basename(path)
    const dot = base.lastIndexOf('.')
    return dot <= 0 || (/^\.+$/.test(base) && base.length === 2) ? '' : base.slice(dot)
  }

  function parse(path: string) {
    const root = isAbsolute(path) ? '/' : ''
    const base = basename(path)
    const ext = extname(path)
    const slash = lastSlash(path)
    return { root, dir: slash > 0 ? path.slice(0, slash) : root, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) }
  }

  function format(parts: { dir?: string; root?: string; base?: string; name?: string; ext?: string }): string {
    const directory = parts.dir ?? parts.root
    const dot = parts.ext !== undefined && parts.ext !== '' && !parts.ext.startsWith('.') ? '.' : ''
    const base = parts.base ?? `${parts.name ?? ''}${dot}${parts.ext ?? ''}`
    if (!directory) return base
    return directory === parts.root ? `${directory}${base}` : `${directory}/${base}`
  }

  const path = {
    sep: '/',
    delimiter: ':',
    isAbsolute,
    normalize,
    join,
    resolve,
    relative,
    dirname,
    basename,
    extname,
    parse,
    format,
    toNamespacedPath: (name: string) => name,
  }
  return Object.assign(path, { posix: path })
}
