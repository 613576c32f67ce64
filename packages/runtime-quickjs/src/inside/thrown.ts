/** What a program threw, as data. */
export interface Thrown {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string | number
  readonly cause?: Thrown
  /** Own data of the error that is text, a number or a truth value. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Reads whatever was thrown, and never throws itself. Crosses into the engine as its own text. */
export function thrownReader(): (thrown: unknown) => Thrown {
  const get = (thrown: any, key: string): unknown => {
    try {
      return thrown[key]
    } catch {
      return undefined
    }
  }
  const text = (value: string) => (value.length > 65_536 ? `${value.slice(0, 65_536)}…` : value)
  const keysOf = (thrown: object): string[] => {
    try {
      return Object.keys(thrown).slice(0, 64)
    } catch {
      return []
    }
  }

  const read = (thrown: unknown, depth: number): Thrown => {
    if (typeof thrown === 'string') return { name: 'Error', message: text(thrown), stack: '', fields: {} }
    if (typeof thrown !== 'object' || thrown === null) {
      return {
        name: 'Error',
        message: `The program threw ${typeof thrown === 'function' ? 'a function' : String(thrown)}`,
        stack: '',
        fields: {},
      }
    }
    const [name, message, stack, code] = [get(thrown, 'name'), get(thrown, 'message'), get(thrown, 'stack'), get(thrown, 'code')]
    const cause = get(thrown, 'cause')
    const fields: Record<string, unknown> = {}
    for (const key of keysOf(thrown)) {
      const value = get(thrown, key)
      const isData = typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string'
      if (isData && !['name', 'message', 'stack', 'code', 'cause', '__proto__'].includes(key))
        fields[key] = typeof value === 'string' ? text(value) : value
    }
    return {
      name: typeof name === 'string' && name !== '' ? text(name) : 'Error',
      message: typeof message === 'string' ? text(message) : 'The program threw an object that is no Error',
      stack: typeof stack === 'string' ? text(stack) : '',
      ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
      ...(cause !== undefined && depth < 4 ? { cause: read(cause, depth + 1) } : {}),
      fields,
    }
  }
  return (thrown) => read(thrown, 0)
}
