import type { Channel, ChannelReceiver } from '@confine-sandbox/contract'
import { linkSockets, loopbackChannels, memoryChannelPair, streamChannel } from '@confine-sandbox/ipc'
import { describe, expect, it, test } from 'vitest'
import { testChannel } from '../src/index.ts'
import { failuresOf } from './support/run-suite.ts'

const linked = async (kind: 'unix' | 'tcp'): Promise<[Channel, Channel]> => {
  const { near, far } = await linkSockets(kind)
  return [streamChannel(near), streamChannel(far)]
}

testChannel({ name: 'in memory', pair: memoryChannelPair }, { describe, it })
testChannel({ name: 'on a loopback', pair: loopbackChannels }, { describe, it })
testChannel({ name: 'on a unix socket', pair: () => linked('unix') }, { describe, it })
testChannel({ name: 'on TCP', pair: () => linked('tcp') }, { describe, it })

/** A pair of which the left end is changed. */
function broken(change: (channel: Channel) => Partial<Channel>): () => [Channel, Channel] {
  return () => {
    const [left, right] = memoryChannelPair()
    const bound: Channel = { send: (bytes) => left.send(bytes), open: (receiver) => left.open(receiver), close: () => left.close() }
    return [{ ...bound, ...change(bound) }, right]
  }
}

const hearing = (change: (receiver: ChannelReceiver) => Partial<ChannelReceiver>) =>
  broken(({ open }) => ({
    open: (receiver) =>
      open({ message: (bytes) => receiver.message(bytes), closed: (error) => receiver.closed(error), ...change(receiver) }),
  }))

/** Channels that break one thing each: which test finds it, and what that says. */
const examples: Record<string, { pair: () => [Channel, Channel]; test: RegExp; says: RegExp }> = {
  'cuts messages': {
    pair: broken(({ send }) => ({ send: (bytes) => send(bytes.subarray(0, 60_000)) })),
    test: /whole messages in order/,
    says: /message 6 of 65535 bytes, left to right arrived as something else \(60000 bytes\)/,
  },
  'throws after its end': {
    pair: broken(({ send, close }) => {
      let isClosed = false
      return {
        send: (bytes) => {
          if (isClosed) throw new Error('closed')
          send(bytes)
        },
        close: () => {
          isClosed = true
          close()
        },
      }
    }),
    test: /every call after its end/,
    says: /closed/,
  },
  'tells its end twice': {
    pair: hearing((receiver) => ({
      closed: () => {
        receiver.closed()
        receiver.closed()
      },
    })),
    test: /once, last/,
    says: /After its end the channel told of a second end/,
  },
  'takes an end for an error': {
    pair: hearing((receiver) => ({ closed: () => receiver.closed(new Error('gone')) })),
    test: /once, last/,
    says: /The closing end was told an error although nothing went wrong/,
  },
  'delivers too early': {
    pair: () => {
      const ends: ChannelReceiver[] = []
      const end = (other: number): Channel => ({
        send: (bytes) => ends[other]?.message(bytes),
        open: (receiver) => {
          ends[1 - other] = receiver
        },
        close: () => {},
      })
      return [end(1), end(0)]
    },
    test: /nothing in the call that sends/,
    says: /delivered before send\(\) returned/,
  },
}

test.each(Object.entries(examples))('a channel that %s fails, and is told why', async (_name, { pair, test, says }) => {
  const failures = await failuresOf((framework) => testChannel({ name: 'broken', pair, patienceMs: 300 }, framework), test)
  expect(Object.values(failures)[0]).toMatch(says)
})
