import { realpathSync } from 'node:fs'

/** The dynamic loader and the libraries that a node needs, as absolute paths. */
export interface SharedObjects {
  readonly loader: string | undefined
  readonly libraries: readonly string[]
  /** What all of them are when links are followed. @default [] */
  readonly files?: readonly string[]
}

/**
 * What this process has loaded, which is what the same node needs in the guest. Takes about 2 ms, so callers keep the
 * answer. Without add-ons, which the guest gets through `bootRead`, and without the kernel's own vdso.
 */
export function loadedSharedObjects(): SharedObjects {
  const objects = sortSharedObjects(readReport())
  const paths = [...objects.libraries, ...(objects.loader === undefined ? [] : [objects.loader])]
  return { ...objects, files: paths.map(realPath) }
}

/** Splits the list of a process report. */
export function sortSharedObjects(paths: readonly string[]): SharedObjects {
  const files = paths.filter((path) => path.startsWith('/') && !path.endsWith('.node'))
  const loader = files.find((path) => /^ld(-linux|-musl|64)?[-.\w]*\.so\b/.test(path.slice(path.lastIndexOf('/') + 1)))
  return { loader, libraries: files.filter((path) => path !== loader) }
}

/**
 * What tells the loader of glibc where the libraries of node lie. A guest has no cache of them, so the loader would look for the
 * first one in a dozen directories that are not there, each of them a question that the supervisor answers.
 */
export function libraryHints({ loader, libraries }: SharedObjects): Readonly<Record<string, string>> {
  if (loader === undefined || !/\/ld-linux[^/]*$/.test(loader)) return {}
  // In the order in which the loader would find them, and no other: this process may have been told to load more.
  const known = libraries.filter((path) => nodesLibrary.test(path) && !/[\s:$]/.test(path))
  return known.length === 0 ? {} : { LD_PRELOAD: known.join(':') }
}

const nodesLibrary = /\/(libdl|libstdc\+\+|libm|libgcc_s|libpthread|libatomic|librt|libc)\.so\.\d+$/

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function readReport(): readonly string[] {
  // @types/node lacks it.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const { excludeNetwork } = report
  // Or the report looks up the name of every peer of every socket.
  report.excludeNetwork = true
  try {
    const { sharedObjects } = report.getReport() as { sharedObjects?: unknown }
    return Array.isArray(sharedObjects) ? sharedObjects.filter((path) => typeof path === 'string') : []
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}
