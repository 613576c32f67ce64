import { PassThrough } from 'node:stream'
import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import type { Channel, ChannelReceiver } from '@confine-sandbox/contract'
import { defaultLimits } from '../src/limits.ts'
import { memoryChannelPair } from '../src/memory-channel.ts'
import { MessageCodec } from '../src/message.ts'
import type { IncomingCall } from '../src/calls.ts'
import { Peer } from '../src/peer.ts'
import type { PeerOptions } from '../src/peer-options.ts'
import { streamChannel } from '../src/stream-channel.ts'

const codec = new MessageCodec(defaultLimits, { errorStacks: false })

function peer(channel: Channel, options: Partial<PeerOptions> = {}): Peer {
  return new Peer({
    channel,
    request: () => undefined,
    notify: () => {},
    closed: () => {},
    reviveError: ({ name, message, code, details }) => Object.assign(new Error(message), { name, code, details }),
    ...options,
  })
}

/** A peer whose other side is scripted: what it gets is kept, what it says is given. */
function scripted(options: Partial<PeerOptions> = {}) {
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
  const subject = peer(channel, { closed, ...options })
  return { subject, closed, messages: () => sent.map((bytes) => codec.decode(bytes)), say: (bytes: Uint8Array) => receiver?.message(bytes) }
}

test('calls go both ways at once and come back to their callers', async () => {
  const [left, right] = memoryChannelPair()
  const host: Peer = peer(left, { request: async ({ params: [n] }: IncomingCall) => (n as number) * 2 })
  const guest = peer(right, {
    request: async ({ cid, method, params }) => [cid, method, await guest.request(cid, 'double', params)],
  })
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => host.request(i, 'm', [i])))
  expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => [i, 'm', i * 2]))
  expect(host.pendingRequests).toBe(0)
})

test('a failure is told by name, message and code; what cannot be told is left out', async () => {
  const [left, right] = memoryChannelPair()
  const host = peer(left)
  const thrown: unknown[] = [
    Object.assign(new TypeError('no'), { code: 'E' }),
    undefined,
    'text',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap')
        },
      },
    ),
    {
      get message() {
        throw new Error('getter')
      },
    },
  ]
  peer(right, {
    request: ({ params: [index] }) => {
      throw thrown[index as number]
    },
  })
  await expect(host.request(0, 'm', [0])).rejects.toMatchObject({ name: 'TypeError', message: 'no', code: 'E' })
  for (const index of [1, 2, 3, 4]) await expect(host.request(0, 'm', [index])).rejects.toThrow('Something that is no error was thrown')
})

test('a result that cannot cross fails that call and no other', async () => {
  const [left, right] = memoryChannelPair()
  const host = peer(left)
  peer(right, { request: ({ method }) => (method === 'bad' ? () => {} : 'fine') })
  await expect(host.request(0, 'bad', [])).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  await expect(host.request(0, 'good', [])).resolves.toBe('fine')
  await expect(host.request(0, 'good', [Symbol('x')])).rejects.toMatchObject({ code: 'ERR_CONFINE_VALUE' })
  expect(host.pendingRequests).toBe(0)
})

test('a signal rejects at once and cancels at the other side; the late answer is taken', async () => {
  const [left, right] = memoryChannelPair()
  const host = peer(left)
  const seen = Promise.withResolvers<AbortSignal>()
  peer(right, {
    request: async ({ signal }) => {
      seen.resolve(signal)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return 'late'
    },
  })
  const controller = new AbortController()
  const call = host.request(0, 'slow', [], { signal: controller.signal })
  const signal = await seen.promise
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  await expect.poll(() => signal.aborted).toBe(true)
  await expect.poll(() => host.pendingRequests).toBe(0)
  await expect(host.request(0, 'm', [], { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
})

test('an answer that does not come in time is not waited for, and its request is cancelled', async () => {
  const { subject, messages, say, closed } = scripted()
  await expect(subject.request(0, 'm', [], { timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_CONFINE_TIMEOUT' })
  const late = new Error('late')
  await expect(subject.request(0, 'm', [], { timeoutMs: 1, overdue: () => late })).rejects.toBe(late)
  expect(messages()).toMatchObject([{ type: 'request' }, { type: 'cancel', id: 1 }, { type: 'request' }, { type: 'cancel', id: 2 }])
  expect(subject.pendingRequests).toBe(0)
  say(codec.encode({ type: 'result', id: 1, value: 1 }))
  expect(closed).not.toHaveBeenCalled()
})

test('calls made within a request are aborted with it, if they are of the same container', async () => {
  const signals = new Map<string, AbortSignal>()
  const { subject, messages, say } = scripted({
    request: ({ method, signal }) => {
      signals.set(method, signal)
      return new Promise(() => {})
    },
  })
  const controller = new AbortController()
  const call = subject.request(7, 'm', [], { signal: controller.signal })
  const within = (id: number, cid: number, parent: number, method: string) =>
    say(codec.encode({ type: 'request', id, cid, parent, method, params: [] }))
  within(1, 7, 1, 'own')
  within(2, 8, 1, 'of another container')
  within(3, 7, 99, 'within nothing')
  within(4, 7, 0, 'by itself')
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  expect([...signals].filter(([, { aborted }]) => aborted).map(([name]) => name)).toEqual(['own'])
  // What is asked within a cancelled request is not even begun.
  within(5, 7, 1, 'too late')
  expect(signals.has('too late')).toBe(false)
  expect(messages().at(-1)).toMatchObject({ type: 'failure', id: 5, error: { code: 'ERR_CONFINE_ABORTED' } })
})

test('a cancelled call cancels what was asked within it, and asks no more', async () => {
  let within: number | undefined
  const { subject, messages, say } = scripted({
    within: () => within,
    request: ({ id }) => {
      within = id
      return new Promise(() => {})
    },
  })
  const ask = () => subject.request(0, 'host', [])
  say(codec.encode({ type: 'request', id: 5, cid: 1, method: 'm', params: [] }))
  const asked = ask()
  say(codec.encode({ type: 'cancel', id: 5 }))
  await expect(asked).rejects.toMatchObject({ code: 'ERR_CONFINE_ABORTED' })
  await expect(ask()).rejects.toMatchObject({ code: 'ERR_CONFINE_ABORTED' })
  expect(messages()).toMatchObject([
    { type: 'request', parent: 5 },
    { type: 'cancel', id: 1 },
  ])
})

test('a container that is given up is waited for no more, and its calls are aborted', async () => {
  const signals: AbortSignal[] = []
  const { subject, say } = scripted({ request: ({ signal }) => new Promise(() => signals.push(signal)) })
  const [ours, other] = [7, 8].map((cid) => subject.request(cid, 'm', []))
  for (const cid of [7, 8]) say(codec.encode({ type: 'request', id: cid, cid, method: 'm', params: [] }))
  subject.abandon(7, new Error('gone'))
  await expect(ours).rejects.toThrow('gone')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  for (const id of [1, 2]) say(codec.encode({ type: 'result', id, value: id }))
  expect(await other).toBe(2)
})

test('closing rejects what is pending, aborts what is under way, and refuses what follows', async () => {
  const { subject, say } = scripted({ request: ({ signal }) => new Promise(() => signals.push(signal)) })
  const signals: AbortSignal[] = []
  const call = subject.request(0, 'm', [])
  say(codec.encode({ type: 'request', id: 1, cid: 0, method: 'm', params: [] }))
  subject.close(new Error('over'))
  await expect(call).rejects.toThrow('over')
  expect(signals[0]?.aborted).toBe(true)
  await expect(subject.request(0, 'm', [])).rejects.toThrow('over')
})

test.each([
  ['bytes that are no message', [Uint8Array.of(250, 1, 2)]],
  ['an answer to nothing', [codec.encode({ type: 'result', id: 99, value: 1 })]],
  ['the same answer twice', [codec.encode({ type: 'result', id: 1, value: 1 }), codec.encode({ type: 'result', id: 1, value: 1 })]],
  ['the same request twice', [1, 2].map(() => codec.encode({ type: 'request', id: 5, cid: 0, method: 'm', params: [] }))],
  ['a notification that its owner refuses', [codec.encode({ type: 'notify', cid: 0, method: 'refused', params: [] })]],
])('%s ends the session as a fault', async (_name, messages) => {
  const { subject, closed, say } = scripted({
    request: () => new Promise(() => {}),
    notify: () => {
      throw new Error('refused')
    },
  })
  const call = subject.request(0, 'm', [])
  call.catch(() => {})
  for (const message of messages) say(message)
  expect(closed).toHaveBeenCalledTimes(1)
  expect(closed.mock.calls[0]?.[0]).toBeInstanceOf(Error)
  subject.close(new Error('over'))
})

test('more requests at once than allowed end the session', () => {
  const { closed, say } = scripted({
    limits: { ...defaultLimits, maxPendingRequests: 3 },
    request: () => new Promise(() => {}),
  })
  for (let id = 1; id <= 3; id++) say(codec.encode({ type: 'request', id, cid: 0, method: 'm', params: [] }))
  expect(closed).not.toHaveBeenCalled()
  say(codec.encode({ type: 'request', id: 4, cid: 0, method: 'm', params: [] }))
  expect(closed).toHaveBeenCalledTimes(1)
})

test('cancelling what is not there is no fault', () => {
  const { closed, say } = scripted()
  say(codec.encode({ type: 'cancel', id: 1234 }))
  expect(closed).not.toHaveBeenCalled()
})

test('data with a then is data: it is never called', async () => {
  const [left, right] = memoryChannelPair()
  const host = peer(left)
  const data = Object.fromEntries([['then', 'text']])
  peer(right, { request: () => data })
  // Awaiting it looks for a function and finds none.
  await expect(host.request(0, 'm', [])).resolves.toEqual(data)
})

test('an error that quotes too much is told in short, and never surfaces here', async () => {
  const [left, right] = memoryChannelPair()
  const limits = { ...defaultLimits, maxMessageBytes: 300_000 }
  const host = peer(left, { limits })
  peer(right, {
    limits,
    request: async ({ params: [text] }) => {
      throw Object.assign(new Error(`no user “${String(text)}”`), { code: text, name: text })
    },
  })
  const error: any = await host.request(0, 'm', ['x'.repeat(250_000)]).catch((thrown) => thrown)
  expect(error.message.length).toBeLessThan(100_000)
})

test('a function that is thrown keeps its source to itself', async () => {
  const [left, right] = memoryChannelPair()
  const host = peer(left)
  peer(right, {
    request: () => {
      throw () => 'secret'
    },
  })
  await expect(host.request(0, 'm', [])).rejects.toThrow(/thrown: a function$/)
})

test('nothing is taken any more after a fault or a close, and the fault is told once', () => {
  const request = vi.fn()
  const call = codec.encode({ type: 'request', id: 1, cid: 0, method: 'm', params: [] })
  const faulty = scripted({ request })
  for (const bytes of [Uint8Array.of(250), Uint8Array.of(250), call]) faulty.say(bytes)
  expect(faulty.closed).toHaveBeenCalledTimes(1)
  const closing = scripted({ request })
  closing.subject.request(0, 'm', []).catch(() => {})
  closing.subject.close(new Error('over'))
  // The answer was under way: that is no fault of the other side.
  for (const bytes of [codec.encode({ type: 'result', id: 1, value: 1 }), call]) closing.say(bytes)
  expect(closing.closed.mock.calls).toEqual([[undefined]])
  expect(request).not.toHaveBeenCalled()
})

test('requests that would hold too much memory are refused until others are answered', async () => {
  const answers: (() => void)[] = []
  const { say, messages, closed } = scripted({
    limits: { ...defaultLimits, maxPendingBytes: 2500 },
    request: () => new Promise<void>((resolve) => answers.push(resolve)),
  })
  const call = (id: number) => codec.encode({ type: 'request', id, cid: 0, method: 'm', params: [new Uint8Array(1000)] })
  for (const id of [1, 2, 3, 4]) say(call(id))
  expect(answers).toHaveLength(1)
  expect(messages().map(({ type }) => type)).toEqual(['failure', 'failure', 'failure'])
  answers[0]?.()
  await expect.poll(() => messages()).toHaveLength(4)
  say(call(5))
  expect(answers).toHaveLength(2)
  expect(closed).not.toHaveBeenCalled()
})

test('cancelled calls that are never answered do not pile up', async () => {
  const { subject, closed } = scripted({ limits: { ...defaultLimits, maxPendingRequests: 10 } })
  for (let i = 0; i < 11; i++) {
    expect(closed).not.toHaveBeenCalled()
    const controller = new AbortController()
    const call = subject.request(0, 'm', [], { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(subject.pendingRequests).toBe(0)
  }
  expect(closed.mock.calls[0]?.[0]).toMatchObject({ code: 'ERR_CONFINE_LIMIT' })
})

test('a promise that cannot even be looked at fails its call', async () => {
  const [left, right] = memoryChannelPair()
  const host = peer(left)
  const odd = Object.defineProperty(Promise.resolve(1), 'constructor', {
    get: () => {
      throw new TypeError('no constructor')
    },
  })
  peer(right, { request: () => odd })
  await expect(host.request(0, 'm', [])).rejects.toThrow('no constructor')
})

test('a call that was failed before its time answers nobody, though its number is given to another', async () => {
  const answers = new Map<number, (value: unknown) => void>()
  const limits = { ...defaultLimits, maxPendingBytes: 20_000 }
  const { subject, messages, say } = scripted({
    limits,
    request: ({ cid }) => new Promise((resolve) => answers.set(cid, resolve)),
  })
  const ask = (id: number, cid: number) => say(codec.encode({ type: 'request', id, cid, method: 'm', params: ['x'.repeat(9_000)] }))
  ask(1, 1)
  subject.abandon(1, new Error('closed'))
  ask(1, 2)
  answers.get(1)?.('of the first')
  await new Promise(setImmediate)
  expect(messages()).toMatchObject([{ type: 'failure', id: 1 }])
  // What the others hold is counted on.
  ask(2, 3)
  ask(3, 4)
  expect(messages()).toMatchObject([{ id: 1 }, { type: 'failure', id: 3, error: { code: 'ERR_CONFINE_LIMIT' } }])
  answers.get(2)?.('of the second')
  await new Promise(setImmediate)
  expect(messages()[2]).toMatchObject({ type: 'result', id: 1, value: 'of the second' })
})

test('who asks after the stream broke is told so by an error of ours', async () => {
  const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  const stream = new PassThrough()
  const peer = new Peer({
    channel: streamChannel(stream),
    request: () => {},
    notify: () => {},
    closed: () => {},
    reviveError: () => broken,
  })
  stream.destroy(broken)
  await once(stream, 'close').catch(() => {})
  await new Promise(setImmediate)
  await expect(peer.request(0, 'f', [])).rejects.toMatchObject({ name: 'ConfineError', code: 'ERR_CONFINE_CHANNEL_CLOSED', cause: broken })
})
