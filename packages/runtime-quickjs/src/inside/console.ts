/**
 * Makes the console of a program. Complete in itself, as its text crosses. What is of no use here (timers, counters) does
 * nothing, so that no program fails for it.
 * @param write Takes a line.
 */
export function programConsole(write: (level: string, line: string) => void): Record<string, (...values: unknown[]) => void> {
  let depth = 0
  const writer =
    (level: string) =>
    (...values: unknown[]) =>
      write(level, '  '.repeat(depth) + formatted(values))
  const log = writer('log')
  const error = writer('error')
  const quiet = () => {}
  return {
    log,
    info: writer('info'),
    debug: writer('debug'),
    warn: writer('warn'),
    error,
    trace: writer('trace'),
    dir: (value) => log(value),
    dirxml: log,
    table: (value) => log(value),
    assert: (condition, ...values) => {
      if (!condition) error('Assertion failed', ...values)
    },
    group: (...values) => {
      if (values.length > 0) log(...values)
      if (depth < 32) depth++
    },
    groupCollapsed: (...values) => {
      if (values.length > 0) log(...values)
      if (depth < 32) depth++
    },
    groupEnd: () => {
      if (depth > 0) depth--
    },
    time: quiet,
    timeEnd: quiet,
    timeLog: quiet,
    count: quiet,
    countReset: quiet,
    clear: quiet,
  }

  /** The values as one line; what the first one says of the others, such as `%s`, is done. */
  function formatted(values: readonly unknown[]): string {
    let [first, ...rest] = values
    if (typeof first === 'string' && rest.length > 0) {
      first = first.replace(/%([sdifjoOc%])/g, (whole, kind: string) => {
        if (kind === '%') return '%'
        if (rest.length === 0) return whole
        const [value, ...others] = rest
        rest = others
        if (kind === 'c') return ''
        if (kind === 'd' || kind === 'i' || kind === 'f') return numeric(kind, value)
        return show(value)
      })
    }
    return [...(values.length === 0 ? [] : [first]), ...rest].map(show).join(' ')
  }

  function numeric(kind: 'd' | 'i' | 'f', value: unknown): string {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'symbol' || typeof value === 'object') return 'NaN'
    const number = Number(value)
    return String(kind === 'i' ? Math.trunc(number) : number)
  }

  function show(value: unknown): string {
    if (typeof value === 'string') return value
    try {
      if (value instanceof Error) return `${value.name}: ${value.message}`
      if (typeof value === 'bigint') return `${value}n`
      return (typeof value === 'object' && value !== null ? JSON.stringify(value, plain) : undefined) ?? String(value)
    } catch {
      return '[object]'
    }
  }

  /** What JSON does not know. */
  function plain(_key: string, value: unknown): unknown {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Map || value instanceof Set) return [...value]
    return value instanceof Error ? `${value.name}: ${value.message}` : value
  }
}
