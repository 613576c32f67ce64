import { ConfineError, type Policy } from '@confine-sandbox/contract'
import type { SharedObjects } from './shared-objects.ts'

/** What a guest's file system is made of: each path of the host that stands in it, and the launcher's option that puts it there. */
export type Places = readonly (readonly [option: PlaceOption, path: string])[]

type PlaceOption = '--bind' | '--bind-exec' | '--read' | '--write'

/**
 * Puts together what node boots from and what the policy grants, a directory before what is below it, or it would cover it.
 * @throws ERR_CONFINE_BAD_OPTION for a grant to write what node boots from.
 */
export function placesOf(
  executables: readonly string[],
  { libraries, files = [] }: SharedObjects,
  { bootRead, read, write }: Pick<Policy, 'bootRead' | 'read' | 'write'>,
): Places {
  const readable = withoutNested([...libraries, ...bootRead])
  refuseToWrite([...executables, ...libraries, ...files, ...bootRead], write)
  const places = new Map<string, PlaceOption>()
  for (const path of write) places.set(path, '--write')
  for (const path of read) if (!readable.some((boot) => isWithin(path, boot))) places.set(path, '--read')
  for (const path of readable) places.set(path, '--bind')
  for (const path of executables) places.set(path, '--bind-exec')
  return [...places].map(([path, option]) => [option, path] as const).sort(([, a], [, b]) => (a < b ? -1 : 1))
}

/** Core has looked at the runtime; that a library lies there is known here alone. */
function refuseToWrite(boot: readonly string[], write: readonly string[]): void {
  for (const path of write) {
    const needed = boot.find((other) => isWithin(other, path))
    if (needed === undefined) continue
    throw new ConfineError(
      'ERR_CONFINE_BAD_OPTION',
      `Cannot let the guest write ${path} (policy.write): every guest boots from ${needed}. Name a directory that is for data alone`,
    )
  }
}

/** A directory brings what is below it. */
function withoutNested(paths: readonly string[]): readonly string[] {
  const all = [...new Set(paths)]
  return all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)))
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
