/** Something that one side of the protocol gave a number. */
export interface Numbered {
  readonly id: number
}

/**
 * Things by their numbers. Numbers that follow each other, as an honest side gives them, each find a place of their own by
 * their last bits, without a hash. Those that meet at one place are kept by text, whose hash the other side cannot foresee:
 * numbers that it chose could all collide.
 */
export class IdTable<T extends Numbered> {
  readonly #places: (T | undefined)[] = new Array<T | undefined>(places).fill(undefined)
  readonly #others = new Map<string, T>()
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  get(id: number): T | undefined {
    const found = this.#places[id & lastBits]
    if (found?.id === id) return found
    return this.#others.size === 0 ? undefined : this.#others.get(key(id))
  }

  /** Takes in what is not there yet. */
  add(thing: T): void {
    const place = thing.id & lastBits
    this.#size++
    if (this.#places[place] === undefined) this.#places[place] = thing
    else this.#others.set(key(thing.id), thing)
  }

  /** Returns whether it was there. */
  delete(id: number): boolean {
    const place = id & lastBits
    if (this.#places[place]?.id === id) this.#places[place] = undefined
    else if (this.#others.size === 0 || !this.#others.delete(key(id))) return false
    this.#size--
    return true
  }

  /** All of them as they are now, by their numbers. */
  all(): T[] {
    if (this.#size === 0) return []
    const all = [...this.#others.values()]
    for (const thing of this.#places) if (thing !== undefined) all.push(thing)
    return all.sort((a, b) => a.id - b.id)
  }

  clear(): void {
    this.#places.fill(undefined)
    this.#others.clear()
    this.#size = 0
  }
}

const places = 512
const lastBits = places - 1

function key(id: number): string {
  return `number ${id}`
}
