/** What is read of a sandbox: its shape, so that any copy of the package fits. */
export interface ObservedSandbox {
  readonly opts: { readonly runtime: { readonly name: string } }
  readonly isolation: { readonly backend: string; readonly tier?: { readonly name: string } }
}

/** The stable code of an error, never its message. */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : 'Error'
}
