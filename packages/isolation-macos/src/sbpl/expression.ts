/**
 * A profile as data: the s-expressions of SBPL, Seatbelt's profile language. A string is a symbol; quoted text is an object,
 * so that text can never become syntax by standing in the wrong place.
 */
export type Expression = string | Quoted | readonly Expression[]

/** A string literal of the language. */
export interface Quoted {
  readonly text: string
}

/** Quoted text. Only what is fixed in this package is quoted; a path from outside goes through `param`. */
export function quoted(text: string): Quoted {
  return { text }
}

/** A value that is handed to sandbox-exec beside the profile, with `-D name=value`. It is never parsed, so it needs no quoting. */
export function param(name: string): Expression {
  return ['param', quoted(name)]
}

/**
 * Prints one expression; its elements stand on lines of their own when they do not fit on one.
 * @throws TypeError when a symbol is no symbol, or when quoted text is not printable ASCII.
 */
export function print(expression: Expression, indent = ''): string {
  if (typeof expression === 'string') return printSymbol(expression)
  if (!isList(expression)) return printText(expression.text)
  const flat = `(${expression.map((part) => print(part)).join(' ')})`
  // The head and what follows it as symbols (`allow file-read* file-test-existence`) stay on the first line.
  const tail = expression.findIndex((part) => typeof part !== 'string')
  if (tail < 0 || indent.length + flat.length <= lineWidth) return flat
  const head = expression.slice(0, tail).map((part) => print(part))
  const rest = expression.slice(tail).map((part) => `\n${indent}  ${print(part, `${indent}  `)}`)
  return `(${head.join(' ')}${rest.join('')})`
}

/** Whether this is a list, for the compiler too: Array.isArray does not narrow readonly arrays. */
export function isList(expression: Expression): expression is readonly Expression[] {
  return Array.isArray(expression)
}

/** Whether two expressions are the same. */
export function isSame(one: Expression, other: Expression): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other
  if (isList(one) || isList(other)) {
    return isList(one) && isList(other) && one.length === other.length && one.every((part, index) => isSame(part, other[index]!))
  }
  return one.text === other.text
}

const lineWidth = 110
const symbol = /^[A-Za-z0-9][A-Za-z0-9_*-]*$/

function printSymbol(name: string): string {
  if (!symbol.test(name)) throw new TypeError(`Cannot print ${JSON.stringify(name)} as a symbol of a Seatbelt profile.`)
  return name
}

// A profile with a byte above 127 in it was refused by macOS (h5i-dev/h5i#387), and what a control character means to the
// parser is written nowhere. So neither may stand in the text; paths with them go through `param`.
function printText(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new TypeError(`Cannot quote ${JSON.stringify(text)} in a Seatbelt profile: use a parameter.`)
  // The backslash first, or the one that escapes the quote would be escaped itself.
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
