import { isAbsolute } from 'node:path'
import { ConfineError, type RuntimeDescriptor } from '@confine-sandbox/contract'
import { show } from './show.ts'

/**
 * Checks a runtime descriptor, which another program may have written by hand.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkRuntime(given: unknown): RuntimeDescriptor {
  if (typeof given !== 'object' || given === null || typeof (given as { entry?: unknown }).entry !== 'string') {
    throw bad('runtime', given, 'a runtime descriptor, as resolveRuntime() makes it')
  }
  const runtime: Record<string, unknown> = { ...given }
  for (const [name, { isRight, wanted }] of Object.entries(members)) {
    if (!isRight(runtime[name])) throw bad(`runtime.${name}`, runtime[name], wanted)
  }
  return given as RuntimeDescriptor
}

interface Member {
  readonly wanted: string
  isRight(value: unknown): boolean
}

const isPath = (value: unknown) => typeof value === 'string' && isAbsolute(value) && !value.includes('\0')
const isList = (isRight: (item: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(isRight)
const orNone = (isRight: (value: unknown) => boolean) => (value: unknown) => value === undefined || isRight(value)
const isPositive = (value: unknown) => typeof value === 'number' && value > 0
const isLink = (value: unknown) => {
  const { path, target } = (value ?? {}) as { path?: unknown; target?: unknown }
  return isPath(path) && isPath(target)
}

const members: Readonly<Record<keyof RuntimeDescriptor, Member>> = {
  name: { wanted: 'a string', isRight: (value) => typeof value === 'string' },
  entry: { wanted: 'an absolute path', isRight: isPath },
  directories: { wanted: 'a list of absolute paths', isRight: isList(isPath) },
  links: { wanted: 'a list of { path, target }, absolute paths', isRight: isList(isLink) },
  nodeFlags: { wanted: 'a list of strings', isRight: isList((flag) => typeof flag === 'string' && !flag.includes('\0')) },
  maxContainers: {
    wanted: 'a positive whole number',
    isRight: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  },
  threads: { wanted: 'true or false', isRight: (value) => typeof value === 'boolean' },
  leastThreads: { wanted: 'a positive whole number', isRight: orNone((value) => Number.isSafeInteger(value) && (value as number) >= 1) },
  stopsContainers: { wanted: 'true or false', isRight: orNone((value) => typeof value === 'boolean') },
  containerMiB: { wanted: 'a positive number', isRight: orNone(isPositive) },
  modules: {
    wanted: "{ form: 'graph', conditions: a list of strings, or none }",
    isRight: orNone((value) => {
      const { form, conditions } = (value ?? {}) as { form?: unknown; conditions?: unknown }
      return form === 'graph' && orNone(isList((item) => typeof item === 'string'))(conditions)
    }),
  },
  warmUp: { wanted: 'an absolute path', isRight: orNone(isPath) },
  bundle: { wanted: 'an absolute path', isRight: orNone(isPath) },
  bundleFiles: { wanted: 'a list of absolute paths', isRight: orNone(isList(isPath)) },
  bundleAddons: {
    wanted: 'absolute paths by name',
    isRight: orNone((value) => typeof value === 'object' && value !== null && Object.values(value).every(isPath)),
  },
}

function bad(name: string, value: unknown, wanted: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option ${name} must be ${wanted}; it is ${show(value)}`)
}
