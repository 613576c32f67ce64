// Bends frames. Imports nothing: it runs in hostile guests, too.

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

/** A valid message, and what can be changed of it so that it can still be read: pairs of a place and a byte. */
export interface Original {
  readonly body: Uint8Array
  /** Whether the message begins with an id that may be used once: which bytes those are. */
  readonly idBytes: number
  readonly soft: readonly (readonly [at: number, byte: number])[]
  /** Whether it names bytes that come before it. */
  readonly isAttached?: boolean
}

const shortestAttachment = 128 * 1024

/** Frames that begin as valid messages, each changed: some so that they can be read, and say something else, some so that they hardly can. */
export class HostileFrames {
  /** How many were made. Each differs from the message that it began as. */
  made = 0
  readonly #originals: readonly Original[]
  readonly #tame: readonly Original[]
  readonly #random: Random
  #lastId = 20_000

  constructor(originals: readonly Original[], random: Random) {
    this.#originals = originals
    this.#tame = originals.filter(({ idBytes, soft }) => idBytes > 0 && soft.length > 0)
    this.#random = random
  }

  /** A message that can be read, and whose id was not used before. Header included. */
  soft(): Buffer {
    const random = this.#random
    const { body, idBytes, soft } = random.of(this.#tame)
    const frame = Buffer.allocUnsafe(4 + 1 + newIdBytes + body.length - 1 - idBytes)
    frame.writeUInt32LE(frame.length - 4, 0)
    frame[4] = body[0] as number
    let id = ++this.#lastId
    for (let i = 0; i < newIdBytes; i++, id >>>= 7) frame[5 + i] = (id & 0x7f) | (i === newIdBytes - 1 ? 0 : 0x80)
    const shift = 4 + newIdBytes - idBytes
    frame.set(body.subarray(1 + idBytes), 5 + newIdBytes)
    for (let i = 1 + random.below(3); i > 0; i--) {
      const [at, byte] = random.of(soft)
      frame[at + shift] = byte
    }
    this.made++
    return frame
  }

  /** Bits, lengths, counts, tags, cuts and splices, or nothing but noise. Header included. */
  wild(): Buffer {
    const random = this.#random
    this.made++
    if (random.below(20) === 0) return framed(this.#noise(1 + random.below(300)))
    if (random.below(500) === 0) return this.#attached()
    const { body } = random.of(this.#originals)
    let bent: Uint8Array = body
    for (let i = 1 + random.below(3); i > 0 || isSame(bent, body); i--) {
      bent = random.of(mutations)(bent.length === 0 ? body : bent, random, this.#originals)
    }
    const frame = framed(bent)
    if (random.below(50) === 0) frame.writeUInt32LE(random.of([0, 1, bent.length + 1, 0x7fffffff, 0xffffffff]), 0)
    return frame
  }

  /** Bytes that belong to the next message, which names them, or another, or nothing. */
  #attached(): Buffer {
    const random = this.#random
    const attachment = framed(
      Buffer.alloc(random.of([shortestAttachment, shortestAttachment, shortestAttachment + 7, shortestAttachment - 1])),
    )
    attachment[3] = (attachment[3] as number) | 0x80
    const naming = this.#originals.filter(({ isAttached }) => isAttached)
    const body = random.below(4) === 0 ? random.of(this.#originals).body : random.of(naming).body
    const twice = random.below(4) === 0 ? [attachment] : []
    return Buffer.concat([attachment, ...twice, framed(random.below(2) === 0 ? body : random.of(mutations)(body, random, this.#originals))])
  }

  #noise(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#random.below(256)))
  }
}

/** Ids of three bytes: 16,384 to 2,097,151. */
const newIdBytes = 3

function isSame(bent: Uint8Array, body: Uint8Array): boolean {
  return bent === body || bent.length === 0 || Buffer.compare(bent, body) === 0
}

type Mutation = (body: Uint8Array, random: Random, others: readonly Original[]) => Uint8Array

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
    bent[random.below(bent.length)] = random.of(oddBytes)
    return bent
  },
  (body, random) => body.subarray(0, 1 + random.below(body.length)),
  // A varint that claims much.
  (body, random) => spliced(body, random.below(body.length), 1, Buffer.of(0xff, 0xff, 0xff, 0x7f)),
  // A piece of another message.
  (body, random, others) => {
    const other = random.of(others).body
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

const oddBytes = [...Array.from({ length: 0x1b }, (_, tag) => tag), 0x7f, 0x80, 0xff]

function spliced(body: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  return Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)])
}

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeUInt32LE(body.length, 0)
  frame.set(body, 4)
  return frame
}
