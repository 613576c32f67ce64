/**
 * Remembers short texts that were read from bytes. The names of functions and keys come again with each message: to compare
 * some bytes is cheaper than to make a string, and a string that was a key before needs no look-up to be one again. What is
 * remembered is bounded, and forgotten as soon as another text takes its place.
 */
export class ShortStrings {
  readonly #places: string[] = new Array<string>(places).fill('')

  /** The Latin-1 text of some bytes, fewer than `shortBelow`. */
  read(buffer: Uint8Array, start: number, end: number): string {
    const length = end - start
    if (length === 0) return ''
    const first = buffer[start] as number
    const last = buffer[end - 1] as number
    const place = (length * 31 + first * 7 + last * 17 + (buffer[start + (length >> 1)] as number)) & (places - 1)
    const known = this.#places[place] as string
    if (known.length === length && isText(known, buffer, start)) return known
    let text = ''
    for (let at = start; at < end; at++) text += String.fromCharCode(buffer[at] as number)
    this.#places[place] = text
    return text
  }
}

/** Texts of so many characters are not remembered. */
export const shortBelow = 24

const places = 128

function isText(text: string, buffer: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== buffer[start + i]) return false
  return true
}
