import { ConfineError } from '@confine-sandbox/contract'
import { methodNotFound } from './guest-failure.ts'
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
