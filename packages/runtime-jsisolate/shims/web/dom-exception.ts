const codes: Record<string, number> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  InvalidCharacterError: 5,
  NotFoundError: 8,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
}

/** The web's DOMException. */
export class DOMException extends Error {
  declare readonly code: number

  constructor(message = '', options: string | { name?: string; cause?: unknown } = 'Error') {
    super(String(message))
    const name = typeof options === 'string' ? options : (options.name ?? 'Error')
    Object.defineProperty(this, 'name', { value: name, configurable: true, writable: true })
    Object.defineProperty(this, 'code', { value: Object.hasOwn(codes, name) ? codes[name] : 0, configurable: true })
    if (typeof options === 'object' && 'cause' in options) this.cause = options.cause
  }

  get [Symbol.toStringTag](): string {
    return 'DOMException'
  }
}
