import type { GuestFacts, RuntimeClass } from '@confine-sandbox/contract'
import { Containers } from './containers.ts'

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

async function runThrough(Runtime: RuntimeClass): Promise<void> {
  const nothing = () => {}
  const table = new Containers({
    Runtime,
    maxContainers: 1,
    callHost: async () => undefined,
    opened: nothing,
    gone: nothing,
    closed: nothing,
    failed: nothing,
    logged: nothing,
  })
  const source = 'exports.add = (a, b) => a + b'
  await table.exec({ cid: 1, source, options: {}, functions: ['group.call'], values: [['value', true]] })
  await table.call(1, 'add', [1, 2])
  await table.kill(1)
}
