import { duplexPair } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { defaultLimits } from '../src/limits.ts'
import { streamChannel } from '../src/stream-channel.ts'

function collect() {
  const messages: string[] = []
  const closed = Promise.withResolvers<Error | undefined>()
  return {
    messages,
    closed: closed.promise,
    receiver: { message: (bytes: Uint8Array) => messages.push(Buffer.from(bytes).toString()), closed: closed.resolve },
  }
}

test('messages of one tick leave in one write and arrive in order', async () => {
  const [left, right] = duplexPair()
  let writes = 0
  right.on('data', () => writes++)
  const there = collect()
  streamChannel(right).open(there.receiver)
  const here = streamChannel(left)
  here.open(collect().receiver)
  for (const text of ['a', 'b', 'c']) here.send(Buffer.from(text))
  here.send(Buffer.from('z'.repeat(50)))
  await delay(10)
  expect(there.messages).toEqual(['a', 'b', 'c', 'z'.repeat(50)])
  expect(writes).toBe(1)
})

test('large messages arrive whole', async () => {
  const [left, right] = duplexPair()
  const there = collect()
  streamChannel(right).open(there.receiver)
  const here = streamChannel(left)
  here.open(collect().receiver)
  const large = 'x'.repeat(3_000_000)
  here.send(Buffer.from('before'))
  here.send(Buffer.from(large))
  here.send(Buffer.from('after'))
  while (there.messages.length < 3) await delay(5)
  expect(there.messages).toEqual(['before', large, 'after'])
})

test('close sends what is queued, and both sides hear of it once', async () => {
  const [left, right] = duplexPair()
  const here = collect()
  const there = collect()
  streamChannel(right).open(there.receiver)
  const channel = streamChannel(left)
  channel.open(here.receiver)
  channel.send(Buffer.from('last words'))
  channel.close()
  channel.close()
  channel.send(Buffer.from('too late'))
  expect(await there.closed).toBeUndefined()
  expect(await here.closed).toBeUndefined()
  expect(there.messages).toEqual(['last words'])
})

test('a stream that breaks its framing, or ends inside a frame, closes with a protocol error', async () => {
  for (const [bytes, isEnd] of [
    [[0, 0, 0, 0], false],
    [[5, 0, 0, 0, 1], true],
  ] as const) {
    const [left, right] = duplexPair()
    const here = collect()
    streamChannel(left).open(here.receiver)
    right.write(Uint8Array.from(bytes))
    if (isEnd) right.end()
    expect(await here.closed).toMatchObject({ code: 'ERR_CONFINE_PROTOCOL' })
  }
})

test('a peer that never reads ends the session at the bound', async () => {
  const [left] = duplexPair()
  const here = collect()
  const channel = streamChannel(left, { limits: { ...defaultLimits, maxQueuedBytes: 10_000 } })
  channel.open(here.receiver)
  for (let i = 0; i < 20; i++) channel.send(Buffer.alloc(1000))
  expect(await here.closed).toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
})

test('an error of the stream is told, also when it came before open', async () => {
  const [left] = duplexPair()
  const channel = streamChannel(left)
  left.destroy(new Error('broken pipe'))
  await delay(5)
  const here = collect()
  channel.open(here.receiver)
  expect((await here.closed)?.message).toBe('broken pipe')
})
