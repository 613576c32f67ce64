import { ConfineError } from '@confine-sandbox/contract'
import type { CheckedOptions } from './options.ts'

/** How many containers a guest process takes at once. With one, process and container live and end together. */
export function maxContainersOf(options: CheckedOptions): number {
  return options.maxContainers ?? options.runtime.maxContainers
}

/** @throws ERR_CONFINE_CONTAINER_LIMIT where so many are open that a guest process takes no more. */
export function checkContainerLimit(options: CheckedOptions, openContainers: number): void {
  const maxContainers = maxContainersOf(options)
  if (openContainers < maxContainers) return
  throw new ConfineError(
    'ERR_CONFINE_CONTAINER_LIMIT',
    `A guest process with ${options.runtime.name} takes ${maxContainers} container${maxContainers === 1 ? '' : 's'} at once. ` +
      'Make another Sandbox, or set maxContainers when the programs may share a process',
  )
}
