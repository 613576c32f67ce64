import { defaultLimits } from '../../../packages/ipc/src/limits.ts'
import { type Message, MessageCodec } from '../../../packages/ipc/src/message.ts'
import type { MessageReferences } from '../../../packages/ipc/src/reference.ts'
import { tag, viewKinds } from '../../../packages/ipc/src/wire.ts'
import type { Original } from './bend.ts'

const shared = { n: 1 }
const values: readonly unknown[] = [
  undefined,
  [null, true, 1, -1, -0, 0.5, Number.NaN, 2 ** 40, 10n ** 30n, -5n],
  'text',
  'ä漢字\ud800',
  ['x'.repeat(300), '漢'.repeat(100)],
  Object.fromEntries(['a', '__proto__', 'constructor', 'then'].map((key) => [key, [shared, shared]])),
  new Map<unknown, unknown>([
    [1, 'a'],
    [shared, new Map()],
  ]),
  new Set<unknown>([1, 2n ** 64n, 2n ** 65n, shared]),
  [new Date(0), /a(b)+\p{L}/gu, new ArrayBuffer(5), new Float64Array(3), new DataView(new ArrayBuffer(3)), Object(5), Object('s')],
  Object.assign(new TypeError('no', { cause: new Error('root', { cause: new AggregateError([new Error('a'), 1], 'many') }) }), {
    code: 'E',
  }),
  Array.from({ length: 60 }, (_, i) => ({ i, list: [i, [i, [i]]] })),
  // Functions and streams of the sender, once where the language would call them.
  [() => {}, { deep: [() => {}, stream()] }, new Map([[() => {}, stream()]])],
  Object.fromEntries(['a', 'then', 'toJSON', 'valueOf'].map((key) => [key, key === 'a' ? () => {} : 1])),
]

async function* stream() {}

const methods = [
  'echo',
  'wait',
  'fail',
  'odd',
  'give',
  'take',
  'iterate',
  'ready',
  'failed',
  'closed',
  'uncaught',
  'exec',
  'constructor.constructor',
  '__proto__',
]
const error = { name: 'Error', message: 'm', stack: 's', code: 'c', details: values[5], cause: values[9] }

/** Messages of every type, of a guest or a host. */
const messages: readonly Message[] = [
  ...values.flatMap((value, i): Message[] => [
    { type: 'request', id: 1 + i, cid: i % 3, method: methods[i % methods.length] as string, params: [value] },
    { type: 'result', id: 1 + (i % 8), value },
    ...(i < 11 ? [{ type: 'notify' as const, cid: i % 3, method: methods[i % methods.length] as string, params: [value] }] : []),
  ]),
  { type: 'request', id: 2 ** 53 - 1, cid: 2 ** 53 - 1, method: 'echo', params: [] },
  { type: 'notify', cid: 1, method: 'closed', params: [0] },
  { type: 'notify', cid: 0, method: 'uncaught', params: [error] },
  { type: 'failure', id: 2, error },
  { type: 'failure', id: 3, error: { name: 'MethodNotFound', message: '' } },
  { type: 'cancel', id: 1 },
  { type: 'cancel', id: 77 },
  // What a session gave out: functions 1 and 3, streams 2 and 4. What the other side gave: the numbers that stand in its messages.
  ...[1, 3].flatMap((number): Message[] => [
    { type: 'invoke', id: 200 + number, reference: number, params: [values[number % values.length]] },
    { type: 'invoke', id: 300 + number, reference: number, params: [() => {}, stream()] },
    { type: 'release', reference: number },
    { type: 'pull', stream: number + 1, items: 1 + (number % 3), bytes: 1000 },
    { type: 'stop', stream: number + 1 },
  ]),
  ...[1, 2, 3, 4, 5, 6].flatMap((number): Message[] => [
    { type: 'item', stream: number, value: values[number % values.length] },
    { type: 'item', stream: number, value: [() => {}, stream()] },
    { type: 'end', stream: number },
    { type: 'end', stream: number, error },
  ]),
]
const codec = new MessageCodec(defaultLimits, { errorStacks: true })
const reader = (cid: number) => (cid === 0 ? undefined : { made: [], callback: () => () => {}, stream: () => ({}) })
let givenStreams = 0
/** Small numbers, again and again: some of them are in use. */
const references: MessageReferences = {
  writer: () => {
    let number = 0
    const next = () => 1 + (number++ % 8)
    const nextStream = () => {
      givenStreams++
      return next()
    }
    return { callback: next, stream: nextStream, undo() {} }
  },
  reader,
  answerReader: () => reader(1),
  itemReader: () => reader(1),
  cidOfOwn: () => 1,
}

/** What a host says to the guest process itself. */
const hostMessages: readonly Message[] = [
  ...[1, 2, 3].map((cid): Message => {
    const params = [{ cid, source: 'source', options: { n: 1 }, functions: ['f', 'a.b'], values: [['a.c', values[5]]] }]
    return { type: 'request', id: 90, cid: 0, method: 'exec', params }
  }),
  ...values.map((value): Message => ({ type: 'request', id: 91, cid: 0, method: 'config', params: [1, value] })),
  ...['ping', 'describe', 'usage'].map((method): Message => ({ type: 'request', id: 92, cid: 0, method, params: [1] })),
  { type: 'request', id: 93, cid: 0, method: 'kill', params: [2] },
  { type: 'notify', cid: 0, method: 'console', params: [true] },
]

/** Requests of `echo` with bytes that come before them: as a view, as a buffer, and as both. */
const attached: readonly Original[] = [
  [tag.attachedView, 0],
  [tag.attachedView, viewKinds.indexOf('Float64Array')],
  [tag.attachedArrayBuffer],
  [tag.array, 2, tag.attachedView, 0, tag.attachedArrayBuffer],
].map((value) => {
  const body = Buffer.of(1, 95, 1, 0, tag.latin1, 4, ...Buffer.from('echo'), tag.array, 1, ...value)
  return { body, idBytes: 1, soft: [], isAttached: true }
})

/** Valid messages, and how they can be bent. Made by trying. */
export function originals(from: 'guest' | 'host'): Original[] {
  const bendable = (from === 'guest' ? messages : [...messages, ...hostMessages]).map((message) => {
    givenStreams = 0
    const body = codec.encode(message, message.type === 'notify' ? 0 : 1, message.type === 'notify' ? undefined : references)
    const isCall = message.type === 'request' || message.type === 'invoke'
    const idBytes = isCall ? varintBytes(message.id) : 0
    // A stream has a number of its own, which may be used once, as may the number of the function that an invoke names.
    const firstPlace = 1 + idBytes + (message.type === 'invoke' ? 1 : 0)
    return { body, idBytes, soft: isCall && givenStreams === 0 ? softPlaces(body, firstPlace) : [] }
  })
  return [...bendable, ...attached]
}

/** Changes of one byte that leave a message of the same type which can be read. */
function softPlaces(body: Buffer, firstPlace: number): [number, number][] {
  const found: [number, number][] = []
  for (let at = firstPlace; at < body.length; at++) {
    for (const byte of [(body[at] as number) ^ 1, (body[at] as number) ^ 0x42, 0x01, 0x61, 0xfe]) {
      if (byte === body[at]) continue
      const bent = Buffer.from(body)
      bent[at] = byte
      try {
        codec.decode(bent, references)
        found.push([at, byte])
      } catch {}
    }
  }
  return found
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}
