import { readFileSync } from 'node:fs'

/** The texts that programs find in their isolates of the web and of Node; made by the build, beside this package's program. */
export class ShimArchive {
  #bytes: Buffer | undefined
  #places: ReadonlyMap<string, readonly [start: number, end: number]> = new Map()
  readonly #texts = new Map<string, string>()

  /** Reads the file once: after the lock it cannot be read any more. */
  load(): void {
    if (this.#bytes !== undefined) return
    const bytes = readFileSync(new URL('../dist/shims.txt', import.meta.url))
    const end = bytes.indexOf('\n')
    this.#places = new Map(Object.entries(JSON.parse(bytes.toString('utf8', 0, end)) as Record<string, [number, number]>))
    this.#bytes = bytes.subarray(end + 1)
  }

  /** One text; made when it is first asked for. */
  text(name: string): string | undefined {
    this.load()
    const place = this.#places.get(name)
    const known = this.#texts.get(name)
    if (place === undefined || known !== undefined) return known
    const text = this.#bytes!.toString('utf8', ...place)
    this.#texts.set(name, text)
    return text
  }
}
