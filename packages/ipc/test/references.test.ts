import { setImmediate as nextTurn } from 'node:timers/promises'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Callback, Channel, ChannelReceiver, RemoteStream } from '@confine-sandbox/contract'
import { expect, onTestFinished, test, vi } from 'vitest'
import { defaultLimits } from '../src/limits.ts'
import { memoryChannelPair } from '../src/memory-channel.ts'
import { type Message, MessageCodec } from '../src/message.ts'
import { Peer } from '../src/peer.ts'
import type { PeerOptions } from '../src/peer-options.ts'
import type { MessageReferences } from '../src/reference.ts'

const revoked = { code: 'ERR_CONFINE_REVOKED' }
const closedContainer = { code: 'ERR_CONFINE_CONTAINER_CLOSED' }

function peer(channel: Channel, options: Partial<PeerOptions> = {}): Peer {
  const made = new Peer({
    channel,
    request: ({ params }) => params[0],
    notify: () => {},
    closed: () => {},
    reviveError: ({ name, message, code }) => Object.assign(new Error(message), { name, code }),
    ...options,
  })
  made.openScope(1)
  return made
}

/** Two peers that share container 1; the right one answers with `answer`. */
function pair(answer: (...params: any[]) => unknown, options: Partial<PeerOptions> = {}) {
  const closed = vi.fn()
  const [left, right] = memoryChannelPair()
  const host = peer(left, { closed, ...options })
  const guest = peer(right, { request: ({ params }) => answer(...params), ...options })
  onTestFinished(() => host.close(new Error('done')))
  return { host, guest, closed, call: (...params: unknown[]): Promise<any> => host.request(1, 'm', params) }
}

test('functions cross in both directions, wherever they are in a value, and can be called back', async () => {
  const { call } = pair(async (cb: Callback, inner: { list: Callback[] }) => {
    const [add] = inner.list
    return { twice: async (n: number) => (await cb(n)) * 2, sum: await add!(1, 2) }
  })
  const result = await call((n: number) => n + 1, { list: [(a: number, b: number) => a + b] })
  expect(result.sum).toBe(3)
  expect(await result.twice(4)).toBe(10)
})

test('a function that crosses twice in one message is one function', async () => {
  const { call } = pair((a, b) => a === b)
  const fn = () => {}
  expect(await call(fn, fn)).toBe(true)
})

test('what a callback throws reaches its caller, and nobody has to handle it', async () => {
  const rejections = vi.fn()
  process.on('unhandledRejection', rejections)
  onTestFinished(() => void process.off('unhandledRejection', rejections))
  const { call } = pair(() => () => {
    throw new TypeError('no')
  })
  const callback: Callback = await call()
  void callback()
  await expect(callback()).rejects.toMatchObject({ name: 'TypeError', message: 'no' })
  await expect(callback(Symbol('x'))).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE', message: expect.stringMatching(/^params\[0\]/) })
  await nextTurn()
  expect(rejections).not.toHaveBeenCalled()
})

test('a released callback cannot be called, and its owner forgets it', async () => {
  const { call } = pair(() => () => 1)
  const first: Callback = await call()
  first.release()
  first.release()
  await expect(first()).rejects.toMatchObject(revoked)
  {
    using second: Callback = await call()
    expect(await second()).toBe(1)
  }
  expect(await (await call())()).toBe(1)
})

test('a callback that is garbage is released', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { call, closed } = pair(() => () => 1, { limits: { ...defaultLimits, maxCallbacks: 50 } })
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j < 10; j++) await call()
    for (let turn = 0; turn < 3; turn++) {
      collect()
      await nextTurn()
    }
  }
  expect(closed).not.toHaveBeenCalled()
})

test('a container may have so many callbacks and no more; the error names the bound, and the session goes on', async () => {
  const { call, closed } = pair((list) => list.length, { limits: { ...defaultLimits, maxCallbacks: 10 } })
  const functions = (count: number) => Array.from({ length: count }, () => () => {})
  await expect(call(functions(11))).rejects.toMatchObject({ code: 'ERR_CONFINE_LIMIT', message: expect.stringContaining('10 functions') })
  expect(await call(functions(10))).toBe(10)
  expect(closed).not.toHaveBeenCalled()
})

test('a message that cannot cross takes no numbers', async () => {
  const { call } = pair((list) => list.length, { limits: { ...defaultLimits, maxCallbacks: 10 } })
  for (let i = 0; i < 30; i++) await expect(call([() => {}, Symbol('x')])).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  expect(await call([() => {}])).toBe(1)
})

test('when a container closes, its callbacks are revoked on both sides, and who waits for one is told', async () => {
  const { host, guest, call } = pair(() => [() => new Promise(() => {}), () => 1])
  const [never, one]: Callback[] = await call()
  const waiting = never!()
  await nextTurn()
  guest.closeScope(1)
  await expect(waiting).rejects.toMatchObject(closedContainer)
  await expect(one!()).rejects.toMatchObject(revoked)
  await expect(call(() => {}))
    .resolves.toBeTypeOf('object')
    .catch(() => {})
  host.closeScope(1)
  await expect(one!()).rejects.toMatchObject(closedContainer)
  await expect(call(() => {})).rejects.toMatchObject(closedContainer)
})

test('the side that closes a container first fails its own calls at once', async () => {
  const { host, call } = pair(() => () => new Promise(() => {}))
  const never: Callback = await call()
  const waiting = never()
  host.closeScope(1)
  await expect(waiting).rejects.toMatchObject(closedContainer)
  expect(host.pendingRequests).toBe(0)
})

test.each(['then', 'toJSON', 'toString', 'valueOf', 'toLocaleString'])(
  'no function crosses as %s: the language would call it',
  async (name) => {
    const { call } = pair(() => ({ deep: [{ [name]: () => {} }] }))
    await expect(call()).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE', message: expect.stringContaining(`result.deep[0].${name}`) })
    await expect(call({ [name]: () => {} })).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  },
)

test('objects of classes do not hand out their functions, and sockets no stream', async () => {
  class Emitter {
    listeners = [() => {}]
  }
  const { Socket } = await import('node:net')
  const { call } = pair(() => 1)
  for (const [value, name] of [
    [new Emitter(), 'Emitter'],
    [new Socket(), 'Socket'],
  ] as const) {
    await expect(call({ user: { value } })).rejects.toMatchObject({
      code: 'ERR_CONFINE_VALUE',
      message: expect.stringContaining(`params[0].user.value: a ${name} cannot cross`),
    })
  }
  await expect(call(Object.assign(new Error('x'), { fn: () => {} }))).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE' })
})

async function* numbers(count: number, produced: number[] = []) {
  for (let i = 0; i < count; i++) {
    produced.push(i)
    yield i
  }
}

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream) items.push(item)
  return items
}

test.each([
  ['an async generator', () => numbers(500)],
  ['a Readable', () => Readable.from(Array.from({ length: 500 }, (_, i) => i))],
  ['a ReadableStream', () => ReadableStream.from(Array.from({ length: 500 }, (_, i) => i))],
  ['an object', () => ({ [Symbol.asyncIterator]: () => numbers(500) })],
])('%s arrives as a stream, whole and in order', async (_name, make) => {
  const { call } = pair(make)
  expect(await all(await call())).toEqual(Array.from({ length: 500 }, (_, i) => i))
})

test('a stream crosses as a parameter, and within a value', async () => {
  const { call } = pair(async (stream) => ({ sum: (await all(stream)).length, more: numbers(3) }))
  const result = await call(numbers(100))
  expect(result.sum).toBe(100)
  expect(await all(ReadableStream.from(result.more))).toEqual([0, 1, 2])
})

test('a source produces no more than a window ahead', async () => {
  const produced: number[] = []
  const { call } = pair(() => numbers(10_000, produced))
  const stream: RemoteStream = await call()
  await nextTurn()
  expect(produced).toEqual([])
  await stream.next()
  for (let i = 0; i < 20; i++) await nextTurn()
  expect(produced.length).toBeLessThanOrEqual(defaultLimits.streamWindowItems + 1)
  for (let i = 0; i < 100; i++) await stream.next()
  for (let i = 0; i < 20; i++) await nextTurn()
  expect(produced.length).toBeLessThanOrEqual(101 + defaultLimits.streamWindowItems + 1)
})

test('bytes are counted, too: items larger than a window come one by one', async () => {
  let produced = 0
  const { call } = pair(async function* () {
    for (; produced < 20; ) {
      produced++
      yield new Uint8Array(defaultLimits.streamWindowBytes * 2)
    }
  })
  const stream: RemoteStream = await call()
  await stream.next()
  for (let i = 0; i < 20; i++) await nextTurn()
  expect(produced).toBeLessThanOrEqual(2)
  expect((await all(stream)).length).toBe(19)
})

test('leaving early stops the source, whatever it is', async () => {
  const stopped: string[] = []
  const destroy = (_error: Error | null, done: (error: null) => void) => {
    stopped.push('readable')
    done(null)
  }
  const readable = new Readable({ objectMode: true, read() {}, destroy })
  readable.push(1)
  const web = new ReadableStream({ start: (c) => c.enqueue(1), cancel: () => void stopped.push('web') })
  const sources: Record<string, () => unknown> = {
    readable: () => readable,
    web: () => web,
    async *generator() {
      try {
        yield 1
        yield 2
      } finally {
        stopped.push('generator')
      }
    },
  }
  const { call } = pair((name: string) => sources[name]!())
  for (const name of Object.keys(sources)) {
    for await (const item of (await call(name)) as RemoteStream) {
      expect(item).toBe(1)
      break
    }
    await vi.waitFor(() => expect(stopped.at(-1)).toBe(name), { timeout: 60_000 })
  }
})

test('what a source throws ends the iteration behind what came before', async () => {
  const { call } = pair(async function* () {
    yield 1
    throw new RangeError('broken')
  })
  const stream: RemoteStream = await call()
  expect(await stream.next()).toEqual({ done: false, value: 1 })
  await expect(stream.next()).rejects.toMatchObject({ name: 'RangeError', message: 'broken' })
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

test('a Readable that fails before anybody reads it fails its stream and nothing else', async () => {
  const { call } = pair(() => {
    const readable = new Readable({ read() {} })
    setImmediate(() => readable.destroy(new Error('early')))
    return readable
  })
  const stream = await call()
  await nextTurn()
  await nextTurn()
  await expect(all(stream)).rejects.toMatchObject({ message: 'early' })
})

test('an item that cannot cross fails the stream, and stops its source', async () => {
  const stopped = vi.fn()
  const { call } = pair(async function* () {
    try {
      yield { deep: Symbol('x') }
    } finally {
      stopped()
    }
  })
  await expect(all(await call())).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE', message: expect.stringContaining('item.deep') })
  await vi.waitFor(() => expect(stopped).toHaveBeenCalled(), { timeout: 60_000 })
})

test('items bring functions and streams, in both directions', async () => {
  const { call } = pair(async function* (given: AsyncIterable<{ twice(n: number): Promise<number> }>) {
    for await (const { twice } of given) yield { add: async (n: number) => n + (await twice(n)), more: numbers(await twice(1)) }
  })
  const stream: RemoteStream = await call(
    (async function* () {
      for (const factor of [2, 3]) yield { twice: (n: number) => n * factor }
    })(),
  )
  for (const factor of [2, 3]) {
    const { value } = (await stream.next()) as { value: { add(n: number): Promise<number>; more: RemoteStream } }
    expect(await value.add(5)).toBe(5 + 5 * factor)
    expect(await all(value.more)).toHaveLength(factor)
  }
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

test('what items bring that nobody takes any more is let go', async () => {
  const readables = Array.from({ length: 20 }, () => new Readable({ read() {} }))
  const { call, closed } = pair(async function* () {
    for (const readable of readables) yield { readable, fn: () => {} }
  })
  const waiting: RemoteStream = await call()
  await waiting.next()
  await nextTurn()
  // Some have arrived, others are under way.
  await waiting.return?.()
  await vi.waitFor(() => expect(readables.slice(1).filter(({ destroyed }) => destroyed)).toHaveLength(19), { timeout: 60_000 })
  expect(readables[0]?.destroyed).toBe(false)
  expect(closed).not.toHaveBeenCalled()
})

test('items that come for a stream which was stopped here are let go, and no fault', () => {
  const { say, closed, host, messages } = scripted()
  say({ type: 'result', id: 1, value: numbers(1) })
  host.closeScope(1)
  host.openScope(1)
  const before = messages().length
  say({ type: 'item', stream: 7, value: [() => {}, numbers(1)] }, 30)
  expect(messages().slice(before)).toMatchObject([
    { type: 'release', reference: 30 },
    { type: 'stop', stream: 31 },
  ])
  expect(closed).not.toHaveBeenCalled()
})

test('when a container closes, its streams are closed on both sides', async () => {
  const stopped = vi.fn()
  const { host, guest, call } = pair(async function* () {
    try {
      yield 1
      await new Promise(() => {})
    } finally {
      stopped()
    }
  })
  const idle: RemoteStream = await call()
  const busy: RemoteStream = await call()
  await busy.next()
  const waiting = busy.next()
  host.closeScope(1)
  await expect(waiting).rejects.toMatchObject(closedContainer)
  await expect(idle.next()).rejects.toMatchObject(closedContainer)
  guest.closeScope(1)
  const never = new Readable({ read() {} })
  const other = pair(() => never)
  await other.call()
  other.guest.closeScope(1)
  expect(never.destroyed).toBe(true)
})

test('an item is waited for no longer than a call; what came in time is taken', async () => {
  const stopped = vi.fn()
  const overdue = vi.fn(() => new Error('late'))
  const readable = new Readable({ objectMode: true, read() {}, destroy: (_error, done) => done(stopped() as never) })
  const { call } = pair(() => readable, { callbackOptions: () => ({ timeoutMs: 20, overdue }) })
  readable.push('in time')
  const stream: RemoteStream = await call()
  expect(await stream.next()).toEqual({ done: false, value: 'in time' })
  await expect(stream.next()).rejects.toThrow('late')
  expect(await stream.next()).toEqual({ done: true, value: undefined })
  expect(overdue).toHaveBeenCalledTimes(1)
  await vi.waitFor(() => expect(stopped).toHaveBeenCalled(), { timeout: 60_000 })
})

test('who asks for a stream says how long its items may take; a stream that nobody asks may rest', async () => {
  const readable = new Readable({ objectMode: true, read() {} })
  const { host } = pair(() => readable, { callbackOptions: () => ({ timeoutMs: 5 }) })
  const stream = (await host.request(1, 'm', [], { itemOptions: { timeoutMs: Number.POSITIVE_INFINITY } })) as RemoteStream
  const waiting = stream.next()
  await new Promise((resolve) => setTimeout(resolve, 30))
  readable.push(1)
  expect(await waiting).toEqual({ done: false, value: 1 })
  const other = new Readable({ objectMode: true, read() {} })
  const strict = pair(() => other, { callbackOptions: () => ({ timeoutMs: 200 }) })
  const resting = (await strict.call()) as RemoteStream
  await new Promise((resolve) => setTimeout(resolve, 250))
  other.push(1)
  expect(await resting.next()).toEqual({ done: false, value: 1 })
})

test('when an item last crossed is known, on both sides', async () => {
  const { host, guest, call } = pair(async function* () {
    yield 1
    yield 2
    await new Promise(() => {})
  })
  const stream: RemoteStream = await call()
  expect([host.lastStreamed(1), guest.lastStreamed(1), host.lastStreamed(99)]).toEqual([0, 0, 0])
  await stream.next()
  await nextTurn()
  const taken = host.lastStreamed(1)
  expect(taken).toBeGreaterThan(0)
  expect(guest.lastStreamed(1)).toBeGreaterThan(0)
  await nextTurn()
  expect(host.lastStreamed(1)).toBe(taken)
  await stream.next()
  void stream.next()
  const waits = host.lastStreamed(1)
  await nextTurn()
  expect(host.lastStreamed(1)).toBeGreaterThan(waits)
})

test('a call that was cancelled lets go of what its answer brings', async () => {
  const readable = new Readable({ read() {} })
  const answer = Promise.withResolvers<unknown>()
  const { host, closed } = pair(() => answer.promise)
  const controller = new AbortController()
  const call = host.request(1, 'm', [], { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  answer.resolve({ readable, fn: () => {} })
  await vi.waitFor(() => expect(readable.destroyed).toBe(true), { timeout: 60_000 })
  expect(closed).not.toHaveBeenCalled()
})

test('requests that belong to no container, errors and notifications carry neither', async () => {
  const { host } = pair(() => 1)
  await expect(host.request(0, 'm', [() => {}])).rejects.toMatchObject({
    message: 'params[0]: a function cannot cross between host and guest',
  })
  expect(() => host.notify(1, 'm', [numbers(1)])).toThrow('params[0]: a stream cannot cross')
})

/** Writes references as an enemy would: any numbers anywhere. */
function forged(message: Message, first = 7): Buffer {
  let number = first
  const next = () => (first === 7 ? 7 : number++)
  const references: MessageReferences = {
    writer: () => ({ callback: next, stream: next, undo() {} }),
    reader: () => undefined,
    answerReader: () => undefined,
    itemReader: () => undefined,
    cidOfOwn: () => 0,
  }
  return new MessageCodec(defaultLimits, { errorStacks: false }).encode(message, 1, references)
}

/** A host whose other side is scripted. It has asked for 'm' once, as request 1, and given out function 1 and stream 2. */
function scripted(limits = defaultLimits) {
  const sent: Uint8Array[] = []
  const closed = vi.fn()
  let receiver: ChannelReceiver | undefined
  const channel: Channel = {
    send: (message) => sent.push(message),
    open: (given) => {
      receiver = given
    },
    close: () => receiver?.closed(),
  }
  const host = peer(channel, { closed, limits })
  const callback = vi.fn(() => 5)
  const answer = host.request(1, 'm', [callback, numbers(100_000)])
  answer.catch(() => {})
  const reader = () => ({ made: [], callback: () => () => {}, stream: () => ({}) })
  const references: MessageReferences = {
    writer: () => undefined,
    reader,
    answerReader: reader,
    itemReader: reader,
    cidOfOwn: () => 1,
  }
  const codec = new MessageCodec(limits, { errorStacks: false })
  return {
    host,
    answer,
    closed,
    callback,
    messages: () => sent.map((bytes) => codec.decode(bytes, references)),
    say: (message: Message, number?: number) => receiver?.message(forged(message, number)),
  }
}

const fault = expect.objectContaining({ code: 'ERR_CONFINE_PROTOCOL' })

test.each<[string, Message | Message[]]>([
  ['a call of a function that never was', { type: 'invoke', id: 1, reference: 99, params: [] }],
  ['a call of a stream', { type: 'invoke', id: 1, reference: 2, params: [] }],
  ['a release of a function that never was', { type: 'release', reference: 99 }],
  ['a release of number 0', { type: 'release', reference: 0 }],
  ['a pull of a function', { type: 'pull', stream: 1, items: 1, bytes: 1 }],
  ['a pull beyond the window', { type: 'pull', stream: 2, items: 2 ** 40, bytes: 1 }],
  ['a pull of more bytes than the window', { type: 'pull', stream: 2, items: 1, bytes: 2 ** 52 }],
  ['a stop of a stream that never was', { type: 'stop', stream: 99 }],
  ['an item of a stream that never was', { type: 'item', stream: 99, value: 1 }],
  ['the end of a stream that never was', { type: 'end', stream: 99 }],
  [
    'an item that nobody asked for',
    [
      { type: 'result', id: 1, value: numbers(1) },
      { type: 'item', stream: 7, value: 1 },
    ],
  ],
  ['a stream twice', { type: 'result', id: 1, value: [numbers(1), numbers(1)] }],
  ['a function for no container', { type: 'request', id: 1, cid: 0, method: 'm', params: [() => {}] }],
  ['a function in a notification', { type: 'notify', cid: 1, method: 'm', params: [() => {}] }],
  ['a function in a failure', { type: 'failure', id: 1, error: { name: 'E', message: 'm', details: () => {} } }],
  [
    'a function in an item that nobody asked for',
    [
      { type: 'result', id: 1, value: numbers(1) },
      { type: 'item', stream: 7, value: () => {} },
    ],
  ],
  ['a function in an item of a stream that never was', { type: 'item', stream: 8, value: () => {} }],
])('%s is a protocol fault', (_name, messages) => {
  const { say, closed } = scripted()
  for (const message of [messages].flat()) say(message)
  expect(closed).toHaveBeenCalledExactlyOnceWith(fault)
})

test('more callbacks or streams than the bound are a protocol fault', () => {
  const limits = { ...defaultLimits, maxCallbacks: 10, maxStreams: 10 }
  for (const make of [() => () => {}, () => numbers(1)] as (() => unknown)[]) {
    const { say, closed } = scripted(limits)
    const some = (count: number) => Array.from({ length: count }, make)
    say({ type: 'request', id: 1, cid: 1, method: 'm', params: some(10) }, 100)
    expect(closed).not.toHaveBeenCalled()
    say({ type: 'request', id: 2, cid: 1, method: 'm', params: some(1) }, 200)
    expect(closed).toHaveBeenCalledExactlyOnceWith(fault)
  }
})

/** The bytes of `{ then: <function 7> }` as the answer to request 1, and others in which a function is called by the language. */
const text = (string: string) => [8, string.length, ...Buffer.from(string)]
test.each<[string, number[]]>([
  ['a function as then', [13, 1, ...text('then'), 0x16, 7]],
  ['a function as then, by reference', [11, 2, 0x16, 7, 13, 1, ...text('then'), 10, 1]],
  ['a function as toJSON, deep', [11, 1, 13, 1, ...text('a'), 13, 1, ...text('toJSON'), 0x16, 7]],
  ['a function as then of an error', [18, ...text('E'), ...text('m'), ...text(''), 1, ...text('then'), 0x16, 7]],
  ['a function in a box', [0x15, 0x16, 7]],
])('%s is a protocol fault, and nothing is called', async (_name, value) => {
  const sent: Uint8Array[] = []
  const closed = vi.fn()
  let receiver: ChannelReceiver | undefined
  const host = peer({ send: (message) => sent.push(message), open: (given) => (receiver = given), close() {} }, { closed })
  host.request(1, 'm', []).catch(() => {})
  receiver?.message(Buffer.from([2, 1, ...value]))
  await nextTurn()
  expect(closed).toHaveBeenCalledExactlyOnceWith(fault)
  expect(sent).toHaveLength(1)
})

test('what was given out can be used as long as its container is open, and is looked up in this side’s own table', async () => {
  const { host, callback, say, messages, closed } = scripted()
  say({ type: 'invoke', id: 1, reference: 1, params: ['a'] })
  say({ type: 'release', reference: 1 })
  say({ type: 'release', reference: 1 })
  say({ type: 'invoke', id: 2, reference: 1, params: ['b'] })
  say({ type: 'pull', stream: 2, items: 64, bytes: 256 * 1024 })
  for (let i = 0; i < 10; i++) await nextTurn()
  host.closeScope(1)
  say({ type: 'pull', stream: 2, items: 64, bytes: 256 * 1024 })
  say({ type: 'stop', stream: 2 })
  say({ type: 'item', stream: 0, value: 1 })
  expect(callback).toHaveBeenCalledExactlyOnceWith('a')
  expect(messages().filter(({ type }) => type === 'item')).toHaveLength(64)
  expect(messages().find((message) => message.type === 'failure')).toMatchObject({ id: 2, error: revoked })
  expect(closed).not.toHaveBeenCalled()
})

test('functions for a container that the host does not have are dead, and answer nobody', async () => {
  const taken = vi.fn()
  const sent: Uint8Array[] = []
  let receiver: ChannelReceiver | undefined
  peer(
    { send: (message) => sent.push(message), open: (given) => (receiver = given), close() {} },
    { request: ({ params }) => taken(...params) },
  )
  receiver?.message(forged({ type: 'request', id: 1, cid: 55, method: 'm', params: [() => {}, numbers(1)] }))
  const [callback, stream] = taken.mock.calls[0] as [Callback, RemoteStream]
  await expect(callback()).rejects.toMatchObject(closedContainer)
  await expect(stream.next()).rejects.toMatchObject(closedContainer)
  expect(sent).toHaveLength(1)
})
