/** The objects that a message holds so far, in the order in which they came. Most messages hold a few: a list is enough for them. */
export class SeenObjects {
  readonly #few: object[] = []
  #many: Map<object, number> | undefined

  get size(): number {
    return this.#many?.size ?? this.#few.length
  }

  /** Its place; -1 when it was not seen. */
  find(object: object): number {
    if (this.#many !== undefined) return this.#many.get(object) ?? -1
    for (let i = 0; i < this.#few.length; i++) if (this.#few[i] === object) return i
    return -1
  }

  add(object: object): void {
    if (this.#many !== undefined) this.#many.set(object, this.#many.size)
    else if (this.#few.push(object) > fewObjects) this.#many = new Map(this.#few.map((each, index) => [each, index]))
  }

  /** Refers to none any more. */
  clear(): void {
    this.#few.length = 0
    this.#many = undefined
  }
}

const fewObjects = 8
