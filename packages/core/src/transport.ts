import type { Server } from 'node:net'
import { ConfineError } from '@confine-sandbox/contract'
import { linkSockets, type SocketLink } from '@confine-sandbox/ipc'

/** The ways on which calls can go. */
export type Transport = 'inherited' | 'unix' | 'tcp'

/**
 * Checks the option `transport`.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkTransport(transport: unknown, isConfined: boolean): void {
  if (transport === 'inherited' || transport === 'unix') return
  const given = typeof transport === 'string' ? JSON.stringify(transport) : typeof transport
  if (transport !== 'tcp') throw bad(`'inherited', 'unix' or 'tcp'; it is ${given}`)
  // Connecting a connected TCP socket anew is one system call, and this one would be of the host's network.
  if (isConfined) throw bad("'inherited' or 'unix' for a confined guest: a TCP socket in its hands could be connected again, to anywhere")
}

/** What a sandbox shows of a transport that listens. */
export interface Listening {
  ipcServer?: Server
  ipcServerPort?: number
  ipcClientPort?: number
}

/**
 * Connects before the launch, as a guest that is confined can connect to nothing: it inherits the far end.
 * @throws ERR_CONFINE_SETUP_FAILED
 */
export async function connectTransport(transport: 'unix' | 'tcp', shown: Listening): Promise<SocketLink> {
  const link = await linkSockets(transport)
  shown.ipcServer = link.server
  if (link.serverPort !== undefined) shown.ipcServerPort = link.serverPort
  if (link.clientPort !== undefined) shown.ipcClientPort = link.clientPort
  return link
}

/** Lets a connection go that no guest will use. */
export function dropLink(link: SocketLink | undefined): void {
  link?.near.destroy()
  link?.far.destroy()
}

function bad(wanted: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', `The option transport must be ${wanted}`)
}
