import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import type { Channel } from '@confine-sandbox/contract'
import { expect, onTestFinished, test } from 'vitest'
import { Peer, spawnedChannel, streamChannel } from '../src/index.ts'

const index = new URL('../src/index.ts', import.meta.url).href

// Keeps all messages and then echoes them. Takes long for each: every turn of its event loop ends with messages left in the last chunk.
const program = `import { inheritedChannel } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
const kept = []
let turns = 0
const turn = () => { turns++; setImmediate(turn).unref() }
turn()
channel.open({
  message(bytes) {
    const until = performance.now() + 1
    while (performance.now() < until);
    kept.push(bytes)
    if (kept.length === 300) for (const message of kept) channel.send(message)
  },
  closed(error) {
    process.stdout.write(JSON.stringify({ error: error?.message ?? null, turns }))
  },
})`

const withoutBindings = "process.binding = () => { throw new Error('there are none') }\n"

function start(text: string) {
  return spawn(process.execPath, ['--conditions=@confine/source', '--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
}

test.each([
  ["by Node's own handle", program],
  ['by the module net, where Node has no such handle', withoutBindings + program],
])('an inherited socket carries messages of all sizes, in turns, and they may be kept, %s', async (_name, text) => {
  const child = start(text)
  const { channel } = spawnedChannel(child.stdio[3] as Duplex)
  const messages = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1 + ((i * 7919) % (i % 10 === 0 ? 200_000 : 500)), i))
  const echoes: Buffer[] = []
  const all = Promise.withResolvers<void>()
  channel.open({
    message(bytes) {
      echoes.push(Buffer.from(bytes))
      if (echoes.length === messages.length) all.resolve()
    },
    closed: (error) => all.reject(error ?? new Error('closed')),
  })
  for (const message of messages) channel.send(message)
  await all.promise
  expect(echoes.every((echo, index) => echo.equals(messages[index] as Buffer))).toBe(true)
  channel.close()
  const [report] = await once(child.stdout as Duplex, 'data')
  const { error, turns } = JSON.parse(String(report))
  expect(error).toBeNull()
  // 300 ms of work at 20 ms a turn.
  expect(turns).toBeGreaterThan(5)
})

// Sends more than the socket holds, and closes at once.
const talker = `import { writeSync } from 'node:fs'
import { inheritedChannel } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
channel.open({
  message() {
    for (let i = 0; i < 100; i++) channel.send(new Uint8Array(100_000).fill(i))
    channel.close()
  },
  closed(error) {
    writeSync(1, JSON.stringify({ error: error?.message ?? null }))
  },
})`

test('what was sent before the end leaves whole, however slowly it is read', async () => {
  const child = start(talker)
  const { channel, socket } = spawnedChannel(child.stdio[3] as Duplex)
  const seen: number[] = []
  const closed = Promise.withResolvers<Error | undefined>()
  channel.open({
    message(bytes) {
      seen.push(bytes.length === 100_000 ? (bytes[0] as number) : -1)
      socket.pause()
      setImmediate(() => socket.resume())
    },
    closed: closed.resolve,
  })
  channel.send(Buffer.of(1))
  expect(await closed.promise).toBeUndefined()
  expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
  const [report] = await once(child.stdout as Duplex, 'data')
  expect(JSON.parse(String(report))).toEqual({ error: null })
})

// Sends more short messages than the socket holds, in several ticks, with long ones between them, to somebody who does not read yet.
const counter = `import { inheritedChannel } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
let count = 0
const some = () => {
  for (let i = 0; i < 3000; i++) {
    const message = new Uint8Array(count % 500 === 499 ? 150_000 : 100)
    new DataView(message.buffer).setUint32(0, count++)
    channel.send(message)
  }
  if (count < 15_000) setImmediate(some)
  else process.stdout.write('sent')
}
channel.open({ message: some, closed: () => process.exit(0) })`

test.each([
  ["by Node's own handle", counter],
  ['by the module net', withoutBindings + counter],
])('short messages keep their order when the socket is full, %s', async (_name, text) => {
  const child = start(text)
  const { channel, socket } = spawnedChannel(child.stdio[3] as Duplex)
  const seen: number[] = []
  const all = Promise.withResolvers<void>()
  channel.open({
    message: (bytes) => {
      seen.push(Buffer.from(bytes).readUInt32BE())
      if (seen.length === 15_000) all.resolve()
    },
    closed: (error) => all.reject(error ?? new Error('closed')),
  })
  channel.send(Buffer.of(1))
  await new Promise(setImmediate)
  socket.pause()
  await once(child.stdout as Duplex, 'data')
  socket.resume()
  await all.promise
  expect(seen).toEqual(Array.from({ length: 15_000 }, (_, i) => i))
  channel.close()
})

test.each([
  ['goes away', (socket: Duplex) => socket.destroy(), null],
  ['goes away within a frame', (socket: Duplex) => socket.end(Buffer.of(9, 0, 0, 0, 1)), 'The stream ended inside a frame'],
  ['sends what is no frame', (socket: Duplex) => socket.write(Buffer.of(0, 0, 0, 0)), 'Received an empty frame'],
])('a host that %s is told as it is', async (_name, act, error) => {
  const child = start(program)
  act(child.stdio[3] as Duplex)
  const [report] = await once(child.stdout as Duplex, 'data')
  expect(JSON.parse(String(report)).error).toBe(error)
})

// Answers with what it got.
const echo = `import { inheritedChannel, Peer } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
new Peer({
  channel,
  request: ({ params }) => params[0],
  notify: () => {},
  closed: () => process.exit(0),
  reviveError: (payload) => new Error(payload.message),
})`

test('two peers carry small and large values at once, each in memory of its own', async () => {
  const child = spawn(process.execPath, ['--conditions=@confine/source', '--input-type=module', '-e', echo], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const peer = new Peer({
    channel: spawnedChannel(child.stdio[3] as Duplex).channel,
    request: () => undefined,
    notify: () => {},
    closed: () => {},
    reviveError: ({ message }) => new Error(message),
  })
  const large = (length: number) => Uint8Array.from(Buffer.alloc(length, `${length} and more`))
  const values = [
    large(127 * 1024),
    large(900_000),
    { a: new Float64Array(large(800_000).buffer), b: large(300_000).buffer, c: [1, 'x'.repeat(40_000)] },
    ...Array.from({ length: 2000 }, (_, i) => ({ i, text: 'y'.repeat(i % 300) })),
    [large(128 * 1024), new DataView(large(200_000).buffer, 1000, 150_000), 'end'],
  ]
  const expected = structuredClone(values.slice(0, -1))
  const asked = values.map((value) => peer.request(1, 'echo', [value]))
  // What was sent is what the caller had.
  ;(values[1] as Uint8Array).fill(0)
  const answers: any[] = await Promise.all(asked)
  const last = answers.pop()
  // Far faster than to compare element by element.
  expect(answers.every((answer, index) => isDeepStrictEqual(answer, expected[index]))).toBe(true)
  expect(last[1]).toBeInstanceOf(DataView)
  expect(Buffer.from(last[1].buffer).equals(Buffer.from(large(200_000).buffer, 1000, 150_000))).toBe(true)
  for (const bytes of [answers[0], answers[1], last[0]]) expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length])
  await expect(peer.request(1, 'echo', [new Uint8Array(33 << 20), new Uint8Array(33 << 20)])).rejects.toMatchObject({
    code: 'ERR_CONFINE_LIMIT',
  })
  expect(await peer.request(1, 'echo', ['still there'])).toBe('still there')
  peer.close(new Error('over'))
  expect(await once(child, 'exit')).toEqual([0, null])
})

// Answers each message with its length, and ends with what is no frame.
const rude = `import { writeSync } from 'node:fs'
import { inheritedChannel } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
channel.open({
  message(bytes) {
    channel.send(Buffer.from(String(bytes.length)))
    setImmediate(() => process.argv[1] === 'leave' ? process.exit(0) : writeSync(3, Buffer.alloc(5)))
  },
  closed: () => process.exit(0),
})`

test.each([
  ['leaves', 'leave', undefined],
  ['sends what is no frame', 'garbage', 'Received an empty frame'],
])('a spawned process that %s is told as it is, and its sockets are closed', async (_name, way, error) => {
  const child = spawn(process.execPath, ['--conditions=@confine/source', '--input-type=module', '-e', rude, way], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const over = once(child, 'close')
  const spawned = child.stdio[3] as Duplex
  const { channel, socket } = spawnedChannel(spawned)
  expect(socket).not.toBe(spawned)
  const seen: string[] = []
  const closed = Promise.withResolvers<Error | undefined>()
  channel.open({ message: (bytes) => seen.push(Buffer.from(bytes).toString()), closed: closed.resolve })
  // What is written to the socket goes before all messages: here a message.
  socket.write(Buffer.of(2, 0, 0, 0, 1, 2))
  expect((await closed.promise)?.message).toBe(error)
  expect(seen).toEqual(['2'])
  expect(await over).toEqual([0, null])
  expect([socket.destroyed, spawned.destroyed]).toEqual([true, true])
})

// Says all that it has to say at once, and leaves.
const brief = `import { inheritedChannel } from ${JSON.stringify(index)}
const { channel } = inheritedChannel(3)
channel.open({ message() {}, closed: () => process.exit(0) })
for (let i = 0; i < 12; i++) channel.send(Buffer.alloc(16 * 1024, i))
channel.close()`

test('the last words of a process are heard in their order, and whole, though its streams are resumed meanwhile', async () => {
  const child = start(brief)
  const over = once(child, 'close')
  const { channel, socket } = spawnedChannel(child.stdio[3] as Duplex)
  const seen: number[] = []
  const closed = Promise.withResolvers<Error | undefined>()
  channel.open({
    message(bytes) {
      seen.push(bytes[0] as number)
      // Longer than what one turn may take: what was read behind this message waits for the next turn.
      const end = performance.now() + 30
      while (performance.now() < end);
      // As child_process does when the process has exited.
      process.nextTick(() => socket.resume())
    },
    closed: closed.resolve,
  })
  await closed.promise
  expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i))
  expect(await over).toEqual([0, null])
})

test('what is no socket of this process is read as a stream', async () => {
  const [left, right] = duplexPair()
  const { channel, socket } = spawnedChannel(left)
  expect(socket).toBe(left)
  const message = Promise.withResolvers<Uint8Array>()
  channel.open({ message: message.resolve, closed: () => {} })
  right.write(Buffer.of(1, 0, 0, 0, 7))
  expect([...(await message.promise)]).toEqual([7])
})

/** Answers each message of a process that says many in one breath and is gone before the first is read. Returns what was heard. */
async function answerTheDead(make: (socket: Duplex) => Channel): Promise<{ heard: number[]; error: Error | undefined }> {
  const frames = Buffer.alloc(messagesOfTheDead * 8)
  for (let i = 0; i < messagesOfTheDead; i++) {
    frames.writeUInt32LE(4, i * 8)
    frames.writeUInt32BE(i, i * 8 + 4)
  }
  const directory = mkdtempSync(join(tmpdir(), 'confine-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'words'), frames)
  const child = spawn('/bin/sh', ['-c', 'cat "$0" >&3; kill -9 $$', join(directory, 'words')], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const channel = make(child.stdio[3] as Duplex)
  const heard: number[] = []
  const closed = Promise.withResolvers<Error | undefined>()
  channel.open({
    message(bytes) {
      heard.push(Buffer.from(bytes).readUInt32BE())
      channel.send(Buffer.alloc(8))
      // When the answers cannot be written any more, the turn is over in the middle of what was read.
      const from = performance.now()
      while (heard.length === 500 && performance.now() - from < longerThanATurnMs);
    },
    closed: closed.resolve,
  })
  // Nothing is read until it is gone: this process knows of it by its own standing still.
  while (readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z');
  return { heard, error: await closed.promise }
}

/** src/turn-budget.ts */
const longerThanATurnMs = 25

/** More than are read at once, and no more than a socket holds. */
const messagesOfTheDead = 16_000

test.each([
  ['a socket of its own', (socket: Duplex) => spawnedChannel(socket).channel],
  ['any socket', (socket: Duplex) => streamChannel(socket)],
])('what a process said last is heard although it is answered no more, over %s', async (_name, make) => {
  const { heard } = await answerTheDead(make)
  expect(heard).toEqual(Array.from({ length: messagesOfTheDead }, (_, i) => i))
})
