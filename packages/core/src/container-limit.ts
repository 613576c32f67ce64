import { ConfineError } from '@confine-sandbox/contract'
import type { ContainerTable } from './container-table.ts'
import type { CheckedOptions } from './options.ts'
import { residentMiB } from './resident-memory.ts'

/** How many containers a guest process takes at once. With one, process and container live and end together. */
export function maxContainersOf(options: CheckedOptions): number {
  return options.maxContainers ?? options.runtime.maxContainers
}

/** @throws ERR_CONFINE_CONTAINER_LIMIT where so many are open that a guest process takes no more, or has no room for one more. */
export function checkContainerLimit(options: CheckedOptions, containers: ContainerTable, pid: number | undefined): void {
  const maxContainers = maxContainersOf(options)
  if (containers.size < maxContainers) return checkRoom(options, containers, pid)
  throw new ConfineError(
    'ERR_CONFINE_CONTAINER_LIMIT',
    `A guest process with ${options.runtime.name} takes ${maxContainers} container${maxContainers === 1 ? '' : 's'} at once. ` +
      'Make another Sandbox, or set maxContainers when the programs may share a process',
  )
}

/**
 * A process that shares its memory among many containers ends with all of them when it has no more: one that may not fit is not
 * begun. What each of them fills later is not foreseen.
 */
function checkRoom({ limits: { memoryMiB }, runtime }: CheckedOptions, containers: ContainerTable, pid = 0): void {
  const { size } = containers
  const { containerMiB } = runtime
  if (memoryMiB === undefined || containerMiB === undefined || size < fewContainers || size % askEach !== 0) return
  const resident = residentMiB(pid)
  const loading = containers.loadingCount
  // Of what ended containers held, the process keeps most, and new ones find some of it fit for them.
  const each = size < containers.mostAtOnce ? containerMiB * reused : containerMiB
  // The limit is counted on top of what the guest held when it was locked, so that some room is left above it.
  if (resident === undefined || resident + (loading + askEach) * each <= memoryMiB) return
  throw new ConfineError(
    'ERR_CONFINE_CONTAINER_LIMIT',
    `The guest process with ${runtime.name} holds ${Math.round(resident)} MiB with ${size} containers, ${loading} of which are loading; ` +
      `limits.memoryMiB is ${memoryMiB}. Make another Sandbox, or raise the limit`,
  )
}

/** So few have always room. */
const fewContainers = 16

/** To look at a process takes longer than a context of V8 does. */
const askEach = 8

/** What one in the place of one that ended needs of that, at most. */
const reused = 0.45
