import { types } from 'node:util'

/**
 * The JavaScript of a text: of TypeScript, blanks stand where the types were, so that every line and column stays.
 * @throws SyntaxError for what is no TypeScript, and for what does not go away with its types, such as an enum.
 */
export function plainText(text: string, language: 'js' | 'ts', path: string): string {
  if (language === 'js') return text
  try {
    return withoutTypes(text)
  } catch (thrown) {
    const error = thrown as Error
    error.stack = `${placeIn(error, path)}${error.name}: ${error.message}\n    at ${path}`
    throw error
  }
}

/**
 * Puts the place in front of the stack of an error of the compiler, which for ES modules does not say where it is, and says when
 * the text can be read as TypeScript, which happens to programs that were written by language models.
 */
export function withPlace(error: unknown, text: string, path: string): unknown {
  if (!types.isNativeError(error)) return error
  try {
    if (withoutTypes(text) === text) return error
    const message = `${error.message}. It is TypeScript: name it .ts, or give the option language: 'ts'`
    error.stack = error.stack?.replace(error.message, () => message)
    error.message = message
  } catch (found) {
    if (error.stack?.includes(path) !== true)
      error.stack = `${placeIn(found as Error, path)}${error.name}: ${error.message}\n    at ${path}`
  }
  return error
}

function withoutTypes(text: string): string {
  return process.getBuiltinModule('node:module').stripTypeScriptTypes(text)
}

/** Node shows line and place first, without a name for the file. */
function placeIn(error: Error, path: string): string {
  const shown = /^[^\n]*:(\d+)\n([\s\S]*?)\n\n/.exec(error.stack ?? '')
  return shown === null ? '' : `${path}:${shown[1]}\n${shown[2]}\n\n`
}
