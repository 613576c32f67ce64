import { ConfineError } from '@confine-sandbox/contract'
import type { IncomingCall } from '@confine-sandbox/ipc'
import { withCallContext } from './call-context.ts'
import type { ContainerTable } from './container-table.ts'
import type { FlatGlobals } from './globals.ts'

/**
 * Answers a call of the guest. Its word is data: both names are looked up in the host's own tables.
 * @throws ERR_CONFINE_CONTAINER_CLOSED, ERR_CONFINE_METHOD_NOT_FOUND, and what the function throws.
 */
export function answerGuest(call: IncomingCall, containers: ContainerTable, globals: FlatGlobals, failed?: HostFailure): unknown {
  const { cid, method } = call
  const open = containers.get(cid)
  if (open === undefined) throw new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `There is no container ${cid}`)
  const fn = globals.functions.get(method)
  if (fn === undefined) throw new ConfineError('ERR_CONFINE_METHOD_NOT_FOUND', `The host has no function ${method}`)
  open.hostCalls++
  const owner = globals.owners.get(method)
  if (failed === undefined) return withCallContext(call, open.container, fn, owner)
  return told(
    () => withCallContext(call, open.container, fn, owner),
    (error) => failed({ cid, name: method, error }),
  )
}

/** What a function of the host threw, for the host: the guest is told less. */
export interface HostFunctionFailure {
  readonly cid: number
  /** The dotted name of the function. */
  readonly name: string
  readonly error: unknown
}

type HostFailure = (failure: HostFunctionFailure) => void

async function told(answer: () => unknown, failed: (error: unknown) => void): Promise<unknown> {
  try {
    return await answer()
  } catch (error) {
    failed(error)
    throw error
  }
}

/**
 * Answers a call of a function that crossed to the guest as a value, for a container that the host noted then.
 * @throws ERR_CONFINE_CONTAINER_CLOSED, and what the function throws.
 */
export function answerCallback(callback: Function, call: IncomingCall, containers: ContainerTable): unknown {
  const open = containers.get(call.cid)
  if (open === undefined) throw new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `There is no container ${call.cid}`)
  open.hostCalls++
  return withCallContext(call, open.container, callback, undefined)
}
