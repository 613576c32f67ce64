import type { GuestFacts, RuntimeClass } from '@confine-sandbox/contract'
import { type ErrorPayload, memoryChannelPair, Peer } from '@confine-sandbox/ipc'
import { Containers } from './containers.ts'
import { type ExecRequest, guestMethod } from './protocol.ts'

/**
 * Runs a program of our own through, in a table of its own, so that the first one of a tenant finds compiled what V8 compiles
 * when it is first called. Before the lock, as nothing in it is untrusted and a runtime may have something to touch still.
 */
export async function exercise(Runtime: RuntimeClass, guest: GuestFacts): Promise<void> {
  // Who prepares nothing has nothing that would have to be made anew afterwards; it may also be fit for one program only.
  if (Runtime.prepare === undefined) return
  Runtime.makeAhead?.()
  for (let i = 0; i < times; i++) {
    try {
      await runThrough(Runtime)
    } catch {
      // A runtime that asks for more than a source. The guest is as good as one without exercise.
    }
    await Runtime.prepare(guest)
    Runtime.makeAhead?.()
  }
}

const times = 2

/** As the host does it, and with its bytes: what reads and writes messages is compiled too. */
async function runThrough(Runtime: RuntimeClass): Promise<void> {
  const nothing = () => {}
  const [near, far] = memoryChannelPair()
  const refused = { notify: nothing, closed: nothing, reviveError: ({ message }: ErrorPayload) => new Error(message) }
  const guest = new Peer({
    ...refused,
    channel: far,
    request: ({ cid, method, params }) => (cid === 0 ? table.exec(params[0] as ExecRequest) : table.call(cid, method, params)),
  })
  const table = new Containers({
    Runtime,
    maxContainers: 1,
    callHost: async () => undefined,
    opened: (cid) => guest.openScope(cid),
    gone: (cid) => guest.closeScope(cid),
    closed: nothing,
    failed: nothing,
    logged: nothing,
  })
  const host = new Peer({ ...refused, channel: near, request: nothing })
  host.openScope(1)
  const program: ExecRequest = {
    cid: 1,
    source: 'exports.add = (a, b) => a + b',
    options: {},
    functions: ['group.call'],
    values: [['value', true]],
  }
  try {
    await host.request(0, guestMethod.exec, [program])
    await host.request(1, 'add', [1, 2])
    await table.kill(1)
  } finally {
    host.close(new Error('The exercise is over'))
  }
}
