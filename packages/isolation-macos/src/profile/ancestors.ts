/** The directories above these paths, each once, sorted, without the root. */
export function ancestors(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.flatMap(above))].sort()
}

function above(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}
