import { type Expression, quoted } from './expression.ts'

/**
 * Reads the text of a profile into its expressions. Comments run from `;` to the end of the line. What the profiles of this
 * package do not use (regular expressions, quote marks, block comments, text beyond printable ASCII) is refused, not guessed at.
 * @throws SyntaxError with line and column.
 */
export function parse(source: string): readonly Expression[] {
  const reader = new Reader(source)
  const expressions: Expression[] = []
  while (reader.skipSpace()) expressions.push(reader.expression())
  return expressions
}

class Reader {
  readonly #source: string
  #position = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Skips space and comments; says whether anything follows. */
  skipSpace(): boolean {
    this.#take(/(?:[ \t\r\n]+|;[^\n]*)*/y)
    return this.#position < this.#source.length
  }

  expression(): Expression {
    if (!this.skipSpace()) throw this.#error('the text ends within a list')
    if (this.#take(/\(/y)) return this.#list()
    if (this.#take(/"/y)) return quoted(this.#text())
    const symbol = this.#take(/[A-Za-z0-9][A-Za-z0-9_*-]*/y)
    if (symbol) return symbol
    throw this.#error(`unexpected ${JSON.stringify(this.#source[this.#position])}`)
  }

  #list(): Expression {
    const parts: Expression[] = []
    for (;;) {
      if (!this.skipSpace()) throw this.#error('a list is not closed')
      if (this.#take(/\)/y)) return parts
      parts.push(this.expression())
    }
  }

  #text(): string {
    const body = this.#take(/(?:[\x20!\x23-\x5b\x5d-\x7e]+|\\["\\])*/y)
    if (this.#take(/"/y)) return body.replaceAll(/\\(["\\])/g, '$1')
    throw this.#error(this.#position < this.#source.length ? 'this character is not of the subset' : 'a string is not closed')
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position
    const found = pattern.exec(this.#source)?.[0] ?? ''
    this.#position += found.length
    return found
  }

  #error(what: string): SyntaxError {
    const before = this.#source.slice(0, this.#position).split('\n')
    return new SyntaxError(`Cannot parse the Seatbelt profile at ${before.length}:${before.at(-1)!.length + 1}: ${what}.`)
  }
}
