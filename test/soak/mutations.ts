import { type Message, MessageCodec } from '../../packages/ipc/src/message.ts'
import type { MessageReferences } from '../../packages/ipc/src/reference.ts'
import { defaultLimits } from '../../packages/ipc/src/limits.ts'

/** Numbers that are the same in every run with the same seed. mulberry32. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

/** Frames that begin as valid messages of every type and are then bent: bits, lengths, counts, tags, cuts and splices. */
export class HostileFrames {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** The next frame, header included. */
  next(): Buffer {
    const random = this.#random
    if (random.below(20) === 0) return framed(this.#noise(1 + random.below(300)))
    let body = random.of(corpus)
    for (let i = random.below(4); i > 0; i--) body = random.of(mutations)(body, random)
    if (body.length === 0) body = Buffer.of(0)
    const frame = framed(body)
    if (random.below(50) === 0) frame.writeUInt32LE(random.of([0, 1, body.length + 1, 0x7fffffff, 0xffffffff]), 0)
    return frame
  }

  #noise(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#random.below(256)))
  }
}

type Mutation = (body: Buffer, random: Random) => Buffer

const mutations: readonly Mutation[] = [
  // One bit.
  (body, random) => {
    const bent = Buffer.from(body)
    const at = random.below(bent.length)
    bent[at] = (bent[at] as number) ^ (1 << random.below(8))
    return bent
  },
  // One byte becomes a tag, or a count that is larger than anything.
  (body, random) => {
    const bent = Buffer.from(body)
    bent[random.below(bent.length)] = random.of([...Array.from({ length: 0x19 }, (_, tag) => tag), 0x7f, 0x80, 0xff])
    return bent
  },
  (body, random) => body.subarray(0, 1 + random.below(body.length)),
  // A varint that claims much.
  (body, random) => spliced(body, random.below(body.length), 1, Buffer.of(0xff, 0xff, 0xff, 0x7f)),
  // A piece of another message.
  (body, random) => {
    const other = random.of(corpus)
    const start = random.below(other.length)
    return spliced(body, random.below(body.length), random.below(8), other.subarray(start, start + random.below(40)))
  },
  // A piece of itself, many times.
  (body, random) => {
    const start = random.below(body.length)
    const piece = body.subarray(start, start + 1 + random.below(12))
    return spliced(body, start, 0, Buffer.concat(Array.from({ length: random.below(600) }, () => piece)))
  },
]

function spliced(body: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)])
}

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32LE(body.length, 0)
  frame.set(body, 4)
  return frame
}

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
    { type: 'end', stream: number },
    { type: 'end', stream: number, error },
  ]),
]
const codec = new MessageCodec(defaultLimits, { errorStacks: true })
/** Small numbers, again and again: some of them are in use. */
const references: MessageReferences = {
  writer: () => {
    let number = 0
    const next = () => 1 + (number++ % 8)
    return { callback: next, stream: next, undo() {} }
  },
  reader: () => undefined,
  answerReader: () => undefined,
  itemReader: () => undefined,
  cidOfOwn: () => 0,
}
const corpus: readonly Buffer[] = messages.map((message) =>
  codec.encode(message, message.type === 'notify' ? 0 : 1, message.type === 'notify' ? undefined : references),
)
