/** The objects that a message holds so far, in the order in which they came. Most messages hold a few: a list is enough for them. */
export class SeenObjects {
  /** As many as are looked through one by one. To make an array shorter costs more than to write over what is in it. */
  readonly #few: (object | undefined)[] = new Array<undefined>(fewObjects).fill(undefined)
  #size = 0
  #many: Map<object, number> | undefined

  get size(): number {
    return this.#size
  }

  /** Its place; -1 when it was not seen. */
  find(object: object): number {
    if (this.#many !== undefined) return this.#many.get(object) ?? -1
    for (let i = 0; i < this.#size; i++) if (this.#few[i] === object) return i
    return -1
  }

  add(object: object): void {
    if (this.#size === fewObjects) this.#many = new Map(this.#few.map((each, index) => [each as object, index]))
    if (this.#many !== undefined) this.#many.set(object, this.#size)
    else this.#few[this.#size] = object
    this.#size++
  }

  /** Refers to none any more. */
  clear(): void {
    for (let i = Math.min(this.#size, fewObjects) - 1; i >= 0; i--) this.#few[i] = undefined
    this.#size = 0
    this.#many = undefined
  }
}

const fewObjects = 8
