import { stripTypeScriptTypes } from 'node:module'
import { guestError } from './guest-error.ts'

/**
 * The JavaScript of a text: of TypeScript, blanks stand where the types were, so that every line and column stays.
 * @throws SyntaxError for what is no TypeScript, and for what does not go away with its types, such as an enum.
 */
export function plainText(text: string, language: 'js' | 'ts', path: string): string {
  if (language === 'js') return text
  try {
    return stripTypeScriptTypes(text)
  } catch (error) {
    const { name, message, code, stack = '' } = error as Error & { code?: string }
    // Node shows line and place first, without a name for the file.
    const shown = /^[^\n]*:(\d+)\n([\s\S]*?)\n\n/.exec(stack)
    const place = shown === null ? '' : `${path}:${shown[1]}\n${shown[2]}\n\n`
    throw guestError({
      name: name === 'SyntaxError' ? name : 'Error',
      message,
      stack: `${place}${name}: ${message}\n    at ${path}${shown === null ? '' : `:${shown[1]}:1`}`,
      fields: code === undefined ? {} : { code },
    })
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
