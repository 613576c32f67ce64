import type { Channel, RuntimeClass } from '@confine-sandbox/contract'
import { type ErrorPayload, loopbackChannels, Peer } from '@confine-sandbox/ipc'
import type { Containers } from './containers.ts'
import { type ExecRequest, guestMethod } from './protocol.ts'

/** The guest's own parts: what is compiled is what the host will meet. */
export interface Stage {
  openPeer(channel: Channel, table: () => Containers, closed: () => void): Peer
  openContainers(peer: Peer, Runtime: RuntimeClass, closed: (cid: number) => void): Containers
  prepare(Runtime: RuntimeClass): Promise<void>
}

/**
 * Runs a program of our own through, in a table of its own, so that the first one of a tenant finds compiled what V8 compiles
 * when it is first called. Before the lock, as nothing in it is untrusted and a runtime may have something to touch still.
 */
export async function exercise(Runtime: RuntimeClass, stage: Stage, times: number): Promise<void> {
  // Who prepares nothing has nothing that would have to be made anew afterwards; it may also be fit for one program only.
  if (Runtime.prepare === undefined) return
  Runtime.makeAhead?.()
  for (let i = 0; i < times; i++) {
    try {
      await runThrough(Runtime, stage)
    } catch {
      // A runtime that asks for more than a source. The guest is as good as one without exercise.
    }
    await stage.prepare(Runtime)
    Runtime.makeAhead?.()
  }
}

/** As the host does it, and with its bytes: what reads and writes messages is compiled too. */
async function runThrough(Runtime: RuntimeClass, { openPeer, openContainers }: Stage): Promise<void> {
  const nothing = () => {}
  const [near, far] = loopbackChannels()
  const guest = openPeer(far, () => table, nothing)
  const table = openContainers(guest, Runtime, nothing)
  const host = new Peer({
    channel: near,
    request: ({ params }) => params[0],
    notify: nothing,
    closed: nothing,
    reviveError: ({ message }: ErrorPayload) => new Error(message),
  })
  host.openScope(cid)
  const program: ExecRequest = {
    cid,
    source: 'exports.add = (a, b) => a + b; exports.ask = async (value) => group.call(value)',
    options: {},
    functions: ['group.call'],
    values: [['value', true]],
  }
  try {
    await host.request(0, guestMethod.exec, [program])
    await host.request(cid, 'add', [1, 2])
    await host.request(cid, 'ask', ['something'])
    await host.request(0, guestMethod.kill, [cid])
  } finally {
    host.close(new Error('The exercise is over'))
    guest.close(new Error('The exercise is over'))
  }
}

const cid = 1
