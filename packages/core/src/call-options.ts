import { ConfineError } from '@confine-sandbox/contract'
import { asOptions } from './abort.ts'
import { methodNotFound } from './guest-failure.ts'
import { nearestName } from './nearest-name.ts'
import { show } from './show.ts'

/**
 * Checks what is to be called, and with what.
 * @throws ERR_CONFINE_BAD_OPTION, ERR_CONFINE_METHOD_NOT_FOUND
 */
export function checkCall(methodName: unknown, params: unknown, cid: number): void {
  if (typeof methodName !== 'string') throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The name of the function to call must be a string')
  if (!Array.isArray(params)) throw new ConfineError('ERR_CONFINE_BAD_OPTION', `The parameters of ${methodName} must be an array`)
  if (isUnreachable(methodName)) throw methodNotFound(methodName, cid)
}

/**
 * The options of a call. An unknown one is refused: a misspelt `timeoutMs` would be none.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function asCallOptions(options: unknown): Readonly<Record<string, unknown>> {
  const given = asOptions(options)
  for (const name in given) if (!callOptionNames.includes(name) && Object.hasOwn(given, name)) throw unknownOption(name)
  return given
}

const callOptionNames = ['timeoutMs', 'signal']

function unknownOption(name: string): ConfineError {
  const near = nearestName(name, callOptionNames)
  const remedy = near === undefined ? `there are ${callOptionNames.join(', ')}` : `did you mean ${near}?`
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `There is no option ${show(name)} of a call; ${remedy}`)
}

/**
 * What names a container, when it does.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function asContainer<T extends { cid: number }>(container: T): T {
  if (typeof container === 'object' && container !== null) return container
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', `A container is named by an object such as { cid: 1 }; this is ${show(container)}`)
}

function isUnreachable(methodName: string): boolean {
  return methodName.includes('.') ? methodName.split('.').some((name) => unreachable.has(name)) : unreachable.has(methodName)
}

/** No runtime, however careless, is asked for what every object inherits. */
const unreachable: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
