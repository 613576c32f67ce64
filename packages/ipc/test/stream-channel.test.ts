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
  while (there.messages.length < 4) await delay(5)
  expect(there.messages).toEqual(['a', 'b', 'c', 'z'.repeat(50)])
  expect(writes).toBe(1)
})

test('what answers a message that came alone leaves at once, and the rest of the tick together', async () => {
  const [left, right] = duplexPair()
  const writes: number[] = []
  right.on('data', (bytes: Buffer) => writes.push(bytes.length))
  const channel = streamChannel(left)
  channel.open({
    message: () => {
      for (let i = 0; i < 5; i++) channel.send(Buffer.of(i))
    },
    closed: () => {},
  })
  const one = Buffer.of(1, 0, 0, 0, 7)
  right.write(one)
  while (writes.length < 2) await delay(1)
  expect(writes).toEqual([5, 20])
  right.write(Buffer.concat([one, one]))
  while (writes.length < 3) await delay(1)
  expect(writes).toEqual([5, 20, 50])
})

test('many short messages of one tick do not wait for the last of them', async () => {
  const [left, right] = duplexPair()
  const there = collect()
  streamChannel(right).open(there.receiver)
  let writes = 0
  right.on('data', () => writes++)
  const here = streamChannel(left)
  here.open(collect().receiver)
  const sent = Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(i % 50, '.'))
  for (const text of sent) here.send(Buffer.from(text))
  while (there.messages.length < sent.length) await delay(1)
  expect(there.messages).toEqual(sent)
  expect(writes).toBeGreaterThan(5)
  expect(writes).toBeLessThan(50)
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

test('a stream that is never empty leaves turns of the event loop to others, and loses nothing', async () => {
  const [left, right] = duplexPair()
  const turns = new Set<number>()
  let turn = 0
  const count = () => {
    turn++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  const seen: number[] = []
  streamChannel(left).open({
    message: (bytes) => {
      seen.push(Buffer.from(bytes).readUInt32LE())
      turns.add(turn)
      // Two milliseconds of work for each of a hundred messages that come in one chunk.
      for (const start = performance.now(); performance.now() - start < 2; );
    },
    closed: () => {},
  })
  const chunk = Buffer.alloc(100 * 8)
  for (let i = 0; i < 100; i++) {
    chunk.writeUInt32LE(4, i * 8)
    chunk.writeUInt32LE(i, i * 8 + 4)
  }
  right.write(chunk)
  while (seen.length < 100) await delay(5)
  clearImmediate(timer)
  expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(turns.size).toBeGreaterThan(4)
})

test('a peer that asks without reading the answers is not heard until it reads, and then goes on', async () => {
  const [left, right] = duplexPair()
  const channel = streamChannel(left, { pauseReadingAboveBytes: 100_000 })
  let heard = 0
  channel.open({
    message: () => {
      heard++
      channel.send(Buffer.alloc(10_000))
    },
    closed: () => {},
  })
  const chunk = Buffer.concat(Array.from({ length: 1000 }, () => Buffer.of(1, 0, 0, 0, 7)))
  right.write(chunk)
  await delay(20)
  expect(heard).toBeLessThan(50)
  let read = 0
  right.on('data', (bytes: Buffer) => {
    read += bytes.length
  })
  while (read < 1000 * 10_004) await delay(5)
  expect(heard).toBe(1000)
})
