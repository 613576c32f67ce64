type Pair = [name: string, value: string]

const updates = new WeakMap<URLSearchParams, () => void>()

/** Tells whenever the parameters change. */
export function onUpdate(params: URLSearchParams, update: () => void): void {
  updates.set(params, update)
}

/** The web's URLSearchParams. */
export class URLSearchParams {
  #pairs: Pair[] = []

  constructor(init: unknown = '') {
    if (typeof init === 'object' && init !== null) {
      const isIterable = typeof (init as Iterable<unknown>)[Symbol.iterator] === 'function'
      const entries = isIterable ? [...(init as Iterable<Iterable<unknown>>)] : Object.entries(init)
      this.#pairs = entries.map((entry) => {
        const pair = [...(entry as Iterable<unknown>)].map(wellFormed)
        if (pair.length !== 2) {
          throw Object.assign(new TypeError('Each query pair must be an iterable [name, value] tuple'), { code: 'ERR_INVALID_TUPLE' })
        }
        return pair as Pair
      })
    } else {
      this.#parse(String(init))
    }
  }

  get size(): number {
    return this.#pairs.length
  }

  append(name: unknown, value: unknown): void {
    this.#pairs.push([wellFormed(name), wellFormed(value)])
    this.#changed()
  }

  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter((pair) => !matches(pair, name, value))
    this.#changed()
  }

  get(name: unknown): string | null {
    return this.#pairs.find((pair) => matches(pair, name))?.[1] ?? null
  }

  getAll(name: unknown): string[] {
    return this.#pairs.filter((pair) => matches(pair, name)).map(([, value]) => value)
  }

  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some((pair) => matches(pair, name, value))
  }

  set(name: unknown, value: unknown): void {
    const first = this.#pairs.findIndex((pair) => matches(pair, name))
    if (first === -1) this.#pairs.push([wellFormed(name), wellFormed(value)])
    else {
      this.#pairs[first]![1] = wellFormed(value)
      this.#pairs = this.#pairs.filter((pair, index) => index <= first || !matches(pair, name))
    }
    this.#changed()
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.#changed()
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArgument?: unknown): void {
    for (const [name, value] of this) callback.call(thisArgument, value, name, this)
  }

  *entries(): Generator<Pair> {
    for (const pair of this.#pairs) yield [...pair]
  }

  *keys(): Generator<string> {
    for (const [name] of this.#pairs) yield name
  }

  *values(): Generator<string> {
    for (const [, value] of this.#pairs) yield value
  }

  [Symbol.iterator](): Generator<Pair> {
    return this.entries()
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&')
  }

  get [Symbol.toStringTag](): string {
    return 'URLSearchParams'
  }

  static follow(params: URLSearchParams, query: string): void {
    params.#parse(query)
  }

  #parse(query: string): void {
    const parts = query.replace(/^\?/, '').split('&')
    this.#pairs = parts
      .filter((part) => part !== '')
      .map((part) => {
        const equals = part.indexOf('=')
        return equals === -1 ? [unescaped(part), ''] : [unescaped(part.slice(0, equals)), unescaped(part.slice(equals + 1))]
      })
  }

  #changed(): void {
    updates.get(this)?.()
  }
}

/** Takes the query of a URL whose other parts were changed. */
export const { follow } = URLSearchParams
Reflect.deleteProperty(URLSearchParams, 'follow')

function matches([name, value]: Pair, wantedName: unknown, wantedValue?: unknown): boolean {
  return name === String(wantedName) && (wantedValue === undefined || value === String(wantedValue))
}

function wellFormed(value: unknown): string {
  return String(value).toWellFormed()
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/%20|[!'()~]/g, (found) =>
    found === '%20' ? '+' : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Bytes that are no UTF-8 become U+FFFD, as the web wants it. */
function unescaped(text: string): string {
  const plain = text.replaceAll('+', ' ')
  if (!plain.includes('%')) return plain.toWellFormed()
  return plain.replace(/(?:%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      const bytes = Uint8Array.from(run.slice(1).split('%'), (digits) => Number.parseInt(digits, 16))
      return new globalThis.TextDecoder().decode(bytes)
    }
  })
}
