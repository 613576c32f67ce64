/**
 * Cuts bytes into lines of at most `maxLength` characters; a longer one is passed over. Holds what is left of an unfinished line.
 */
export function lineReader(maxLength: number): (chunk: Uint8Array) => readonly string[] {
  const decoder = new TextDecoder()
  let rest = ''
  let isTooLong = false
  return (chunk) => {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    const lines = parts.filter((line, index) => !(index === 0 && isTooLong) && line.length <= maxLength)
    if (parts.length > 0) isTooLong = false
    if (rest.length > maxLength) {
      rest = ''
      isTooLong = true
    }
    return lines
  }
}
