/**
 * What reading a message costs, counted and not measured: about a nanosecond of a common machine for each unit, rounded up.
 * Writer and reader count the same by the same rules, so that what an honest side sends is never too much for the other,
 * however slow or busy that is.
 */
export const work = Object.freeze({
  /** Any value, key or hole. */
  value: 50,
  /** A string besides, and one for each byte of any text. Keys are cheaper. */
  string: 60,
  /** A bigint of more than six bytes besides, and so many for each byte. */
  bigint: 700,
  bigintByte: 8,
  /** Whatever is numbered as an object besides. */
  object: 100,
  /** An entry of a map or a set besides. */
  entry: 250,
  /** A key where no object of the message had it before, behind the same keys: the engine makes a shape for it. */
  newKey: 1600,
  /** The same in an object of very many keys, which has no shape. */
  newEntryKey: 1000,
  date: 50,
  /** A pattern, and so many for each of its characters. Those that make sets of characters are in `patternWork()`. */
  regexp: 1500,
  regexpCharacter: 15,
  error: 2500,
  /** A buffer or a view, and one for each of its bytes. */
  buffer: 900,
  callback: 2800,
  stream: 2500,
})

/** Counts the work of one message. */
export class WorkCount {
  #left: number
  #keys = 0
  #root: Shape | undefined

  /** @param most In microseconds, as the limits say. */
  constructor(most: number) {
    this.#left = most * 1000
  }

  /** Begins with another message. */
  reset(most: number): void {
    this.#left = most * 1000
    this.#keys = 0
    this.#root = undefined
  }

  /** Returns whether it is too much now. */
  spend(units: number): boolean {
    this.#left -= units
    return this.#left < 0
  }

  /**
   * Counts a key of an object. What has the keys of its neighbours costs little: the engine knows its shape.
   * @param shape What this returned for the key before it in the same object; undefined for the first one.
   */
  key(shape: Shape | undefined, key: string): Shape | undefined {
    // Up to here each may be new for all that it costs, and nothing has to be remembered.
    if (this.#keys < keysForNothing) {
      this.#keys++
      return undefined
    }
    this.#root ??= new Shape(0)
    const from = shape ?? this.#root
    const known = from.behind(key)
    if (known !== undefined) return known
    this.spend(from.depth < keysOfAShape ? work.newKey : work.newEntryKey)
    return from.add(key)
  }
}

/** A row of keys that an object of this message began with. */
export class Shape {
  /** How many keys that is. */
  readonly depth: number
  #key: string | undefined
  #next: Shape | undefined
  #others: Map<string, Shape> | undefined

  constructor(depth: number) {
    this.depth = depth
  }

  behind(key: string): Shape | undefined {
    return this.#key === key ? this.#next : this.#others?.get(key)
  }

  add(key: string): Shape {
    const shape = new Shape(this.depth + 1)
    if (this.#key === undefined) {
      this.#key = key
      this.#next = shape
    } else {
      this.#others ??= new Map()
      this.#others.set(key, shape)
    }
    return shape
  }
}

/** What making a RegExp costs: `\p{…}` makes a set of characters, with the flag v one of strings, too. */
export function patternWork(source: string, flags: string): number {
  const each = flags.includes('v') ? 2_000_000 : flags.includes('u') ? 150_000 : 0
  const properties = each === 0 ? 0 : source.split(/\\p/i).length - 1
  return work.regexp + source.length * work.regexpCharacter + properties * each
}

const keysForNothing = 5000
/** Beyond some 128 keys V8 makes a dictionary of an object. */
const keysOfAShape = 128
