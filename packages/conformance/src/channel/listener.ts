import assert from 'node:assert/strict'
import type { Channel } from '@confine-sandbox/contract'
import { within } from '../suite.ts'

/** What one end of a channel heard. */
export interface Heard {
  readonly count: number
  /** The first so many messages, when they have arrived. */
  messages(count: number): Promise<readonly Uint8Array[]>
  /** The error of the end, undefined when there was none. */
  readonly closed: Promise<Error | undefined>
  /** Fails when something was told after the end, or the end twice. */
  assertQuiet(): void
}

/** Opens an end and keeps what it delivers. */
export function listen(channel: Channel, patienceMs: number): Heard {
  const all: Uint8Array[] = []
  const afterwards: string[] = []
  const end = Promise.withResolvers<Error | undefined>()
  let isClosed = false
  let more = () => {}
  channel.open({
    message: (bytes) => {
      if (isClosed) afterwards.push('a message')
      // The bytes are the receiver's: keeping them must be safe.
      all.push(bytes)
      more()
    },
    closed: (error) => {
      if (isClosed) afterwards.push('a second end')
      isClosed = true
      end.resolve(error)
    },
  })
  return {
    get count() {
      return all.length
    },
    messages: async (count) => {
      const arrived = new Promise<void>((resolve) => {
        more = () => all.length >= count && resolve()
        more()
      })
      await within(patienceMs, `The arrival of ${count} messages (${all.length} so far)`, arrived)
      return all
    },
    closed: within(patienceMs, 'closed()', end.promise),
    assertQuiet: () => assert.deepEqual(afterwards, [], `After its end the channel told of ${afterwards.join(', ')}`),
  }
}
