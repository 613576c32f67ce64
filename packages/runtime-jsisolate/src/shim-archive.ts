import { closeSync, openSync, readSync } from 'node:fs'
import { shimsPath } from './own-files.ts'

/** The texts that programs find in their isolates of the web and of Node; made by the build, beside this package's program. */
export class ShimArchive {
  #bytes: Buffer | undefined
  #places: ReadonlyMap<string, readonly [start: number, end: number]> | undefined
  readonly #texts = new Map<string, string>()

  /** Reads the file once: after the lock it cannot be read any more. */
  load(): Buffer {
    this.#bytes ??= readOnce(shimsPath)
    return this.#bytes
  }

  /** One text; made when it is first asked for. */
  text(name: string): string | undefined {
    const bytes = this.load()
    this.#places ??= readPlaces(bytes)
    const place = this.#places.get(name)
    const known = this.#texts.get(name)
    if (place === undefined || known !== undefined) return known
    const text = bytes.toString('utf8', ...place)
    this.#texts.set(name, text)
    return text
  }
}

/** The first line says where each text lies behind it. */
function readPlaces(bytes: Buffer): ReadonlyMap<string, readonly [start: number, end: number]> {
  const start = bytes.indexOf('\n') + 1
  const places = JSON.parse(bytes.toString('utf8', 0, start)) as Record<string, [number, number]>
  return new Map(Object.entries(places).map(([name, [from, to]]) => [name, [start + from, start + to]]))
}

/** Without a question how long it is, which the supervisor would have to answer. */
function readOnce(path: string): Buffer {
  const fd = openSync(path, 'r')
  try {
    let bytes = Buffer.allocUnsafeSlow(2 ** 20)
    let length = 0
    for (let got = -1; got !== 0; length += got) {
      if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2)
      got = readSync(fd, bytes, length, bytes.length - length, null)
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}
