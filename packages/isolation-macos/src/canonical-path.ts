import { ConfineError } from '@confine-sandbox/contract'

/**
 * Checks that a path is one that Seatbelt can compare with: what the kernel calls a file, which is absolute and has no
 * `.`, no `..`, no doubled and no last slash. The root is refused, since it would stand for every file there is.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function requireCanonical(path: string, what: string): string {
  requirePassable(path, what)
  if (path === '/') refuse(path, what, 'that is every file of this machine')
  const names = path.slice(1).split('/')
  if (names.some((name) => name === '' || name === '.' || name === '..')) refuse(path, what, 'it is not in its shortest form')
  return path
}

/**
 * Checks that a path is absolute and can be handed to a program unchanged: an argument ends at the first NUL, and a lone
 * surrogate has no UTF-8.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function requirePassable(path: string, what: string): string {
  if (!path.startsWith('/')) refuse(path, what, 'it is not absolute')
  if (path.includes('\0')) refuse(path, what, 'it contains a NUL character')
  if (!path.isWellFormed()) refuse(path, what, 'it is not well-formed Unicode')
  return path
}

/** Leaves out repetitions, and what lies below another of these paths. */
export function withoutNested(paths: readonly string[]): readonly string[] {
  const all = new Set(paths)
  return [...all].filter((path) => !isBelowAny(path, all))
}

/** Whether a path lies below one of these directories. */
export function isBelowAny(path: string, directories: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (directories.has(path.slice(0, end))) return true
  }
  return false
}

function refuse(path: string, what: string, problem: string): never {
  throw new ConfineError(
    'ERR_CONFINE_BAD_OPTION',
    `Cannot confine the guest: ${what} is ${JSON.stringify(path)}, and ${problem}. Give the absolute path of a file or directory.`,
  )
}
