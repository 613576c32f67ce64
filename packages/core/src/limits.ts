import { availableParallelism } from 'node:os'
import { ConfineError, defaultLimits, type Limits, type RuntimeDescriptor } from '@confine-sandbox/contract'
import { show } from './show.ts'

/**
 * Fills in the defaults of `limits` and checks each. `undefined` or leaving one out means its default, `Infinity` means none.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkLimits(limits: unknown): Limits {
  if (limits === undefined) return defaultLimits
  if (typeof limits !== 'object' || limits === null) throw bad('limits', limits, 'an object')
  const unknown = Object.keys(limits).find((name) => !Object.hasOwn(least, name))
  if (unknown !== undefined) {
    throw new ConfineError('ERR_CONFINE_BAD_OPTION', `There is no limit ${unknown}; there are ${limitNames.join(', ')}`)
  }
  const checked: Record<string, number> = {}
  for (const [name, atLeast] of Object.entries(least)) {
    const value: unknown = (limits as Record<string, unknown>)[name] ?? defaultLimits[name as keyof Limits]
    if (value === undefined || value === Number.POSITIVE_INFINITY) continue
    const atMost = most[name as keyof Limits] ?? largest
    if (!Number.isSafeInteger(value) || (value as number) < atLeast || (value as number) > atMost) {
      throw bad(`limits.${name}`, value, `a whole number from ${atLeast} to ${atMost}, or Infinity`)
    }
    checked[name] = value as number
  }
  return checked
}

/**
 * Makes sure that a process has the threads which its runtime cannot do without: refused one, it would be aborted in the middle of
 * some call. A pool of threads has one for each processor.
 * @param isGiven Whether the caller chose the number.
 * @param processors How many there are. @default as many as this process may use
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function enoughThreads(
  limits: Limits,
  isGiven: boolean,
  { leastThreads, name }: Pick<RuntimeDescriptor, 'leastThreads' | 'name'>,
  maxContainers: number,
  processors?: number,
): Limits {
  const { threads } = limits
  if (threads === undefined || leastThreads === undefined || maxContainers === 1) return limits
  // Asks the system, which takes as long as all the other options together.
  const needed = leastThreads + (processors ?? availableParallelism())
  if (threads >= needed) return limits
  if (isGiven) throw bad('limits.threads', threads, `at least ${needed} for ${name} on this machine, unless maxContainers is 1`)
  return { ...limits, threads: needed }
}

/**
 * Lets a guest of many threads stand back, unless the caller said how far it shall.
 * @param isGiven Whether the caller did.
 */
export function standingBack(limits: Limits, isGiven: boolean, { threads }: Pick<RuntimeDescriptor, 'threads'>): Limits {
  return isGiven || !threads ? limits : { ...limits, nice: stepsBack }
}

/** Eight busy threads leave the host two fifths of a processor of two, where it would have a sixth. */
const stepsBack = 5

/** The least that a guest can live with. */
const least: Readonly<Record<keyof Limits, number>> = Object.freeze({
  memoryMiB: 16,
  cpuSeconds: 1,
  lifeMs: 1,
  threads: 16,
  outputMiB: 1,
  outputMiBPerSecond: 1,
  fileSizeMiB: 1,
  openFiles: 32,
  nice: 0,
})

/** Every limit. */
export const limitNames = Object.keys(least) as readonly (keyof Limits)[]

/** The longest delay of a timer. */
const largest = 0x7fffffff

/** Where something else bounds a limit. */
const most: Readonly<Partial<Record<keyof Limits, number>>> = Object.freeze({ openFiles: 65_536, nice: 19 })

function bad(name: string, value: unknown, wanted: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option ${name} must be ${wanted}; it is ${show(value)}`)
}
