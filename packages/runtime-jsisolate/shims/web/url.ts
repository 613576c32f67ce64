import { system, type UrlParts } from 'confine:system'
import { follow, onUpdate, URLSearchParams } from './url-search-params.ts'

/** The web's URL. Parsing is done outside, by Node's parser: text goes out, text comes back. */
export class URL {
  #parts: UrlParts
  #params: URLSearchParams | undefined

  constructor(url: unknown, base?: unknown) {
    const parts = parsed(url, base)
    if (parts === undefined) {
      throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: String(url) })
    }
    this.#parts = parts
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return parsed(url, base) !== undefined
  }

  static parse(url: unknown, base?: unknown): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null
  }

  get href(): string {
    return this.#parts.href
  }

  set href(value: unknown) {
    this.#take(new URL(value).#parts)
  }

  get origin(): string {
    return this.#parts.origin
  }

  get searchParams(): URLSearchParams {
    if (this.#params === undefined) {
      this.#params = new URLSearchParams(this.#parts.search)
      const params = this.#params
      onUpdate(params, () => {
        this.#parts = system('url-with', this.#parts.href, 'search', params.toString())
      })
    }
    return this.#params
  }

  toString(): string {
    return this.#parts.href
  }

  toJSON(): string {
    return this.#parts.href
  }

  get [Symbol.toStringTag](): string {
    return 'URL'
  }

  /** A part of it. */
  static part(url: URL, name: keyof UrlParts): string {
    return url.#parts[name]
  }

  static change(url: URL, name: string, value: unknown): void {
    url.#take(system('url-with', url.#parts.href, name, String(value)))
  }

  #take(parts: UrlParts): void {
    this.#parts = parts
    if (this.#params !== undefined) follow(this.#params, parts.search)
  }
}

const { part, change } = URL
for (const name of ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const) {
  Object.defineProperty(URL.prototype, name, {
    get(this: URL) {
      return part(this, name)
    },
    set(this: URL, value: unknown) {
      change(this, name, value)
    },
    enumerable: true,
    configurable: true,
  })
}
for (const helper of ['part', 'change'] as const) Reflect.deleteProperty(URL, helper)

function parsed(url: unknown, base: unknown): UrlParts | undefined {
  return base === undefined ? system('url', String(url)) : system('url', String(url), String(base))
}
