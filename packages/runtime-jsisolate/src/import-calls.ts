import { parse } from 'es-module-lexer/minimal/js'

/** A text in which `import()` and `import.meta` are those of this package: isolated-vm has neither. */
export interface ImportCalls {
  readonly text: string
  /** What stands in the text instead of the word `import`; absent when the text has no such word. */
  readonly importName?: string
}

/** Puts a name in the place of the word `import`, as long as that, so that every line and column stays what it was. */
export function withImportCalls(text: string): ImportCalls {
  if (!/\bimport\s*[(./]/.test(text)) return { text }
  const places = lex(text)?.imports.filter(({ d }) => d !== -1) ?? []
  if (places.length === 0) return { text }
  const importName = unusedName(text)
  let end = 0
  const parts: string[] = []
  for (const { ss } of places) {
    parts.push(text.slice(end, ss), importName)
    end = ss + importName.length
  }
  parts.push(text.slice(end))
  return { text: parts.join(''), importName }
}

/** Whether a text can only be an ES module. */
export function isModuleText(text: string): boolean {
  if (!/\b(?:import|export)\b/.test(text)) return false
  const found = lex(text)
  return found !== undefined && (found.exports.length > 0 || found.imports.some(({ d }) => d < 0) || /^\s*export\s*\{\s*\}/m.test(text))
}

/** A text that cannot be read is left to the compiler, which says what is wrong. */
function lex(text: string) {
  try {
    const [imports, exports] = parse(text)
    return { imports, exports }
  } catch {
    return undefined
  }
}

function unusedName(text: string): string {
  for (let number = 0; ; number++) {
    const name = `$${number.toString(36).padStart(5, '_')}`
    if (!text.includes(name)) return name
  }
}
