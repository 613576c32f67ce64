import { stripTypeScriptTypes } from 'node:module'

/**
 * The JavaScript of a text: of TypeScript, blanks stand where the types were, so that every line and column stays.
 * @throws SyntaxError for what is no TypeScript, and for what does not go away with its types, such as an enum.
 */
export function plainText(text: string, language: 'js' | 'ts', path: string): string {
  if (language === 'js') return text
  try {
    return stripTypeScriptTypes(text)
  } catch (error) {
    const { message, code, stack = '' } = error as Error & { code?: string }
    // Node shows the line first, without a name for the file.
    const line = /^[^\n]*:(\d+)\n/.exec(stack)?.[1]
    const told = new SyntaxError(message)
    told.stack = `SyntaxError: ${message}\n    at ${path}${line === undefined ? '' : `:${line}:1`}`
    throw code === undefined ? told : Object.assign(told, { code })
  }
}

/** Whether a text that is no JavaScript can be read as TypeScript, which happens to programs that were written by language models. */
export function typeScriptHint(text: string): string {
  try {
    return stripTypeScriptTypes(text) === text ? '' : ". It is TypeScript: name it .ts, or give the option language: 'ts'"
  } catch {
    return ''
  }
}
