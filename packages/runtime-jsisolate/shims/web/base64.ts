import { DOMException } from './dom-exception.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const values = new Map(alphabet.split('').map((character, value) => [character, value]))

/** Characters up to 255 → base64. */
export function btoa(data: unknown): string {
  const text = String(data)
  let encoded = ''
  for (let index = 0; index < text.length; index += 3) {
    let bits = 0
    for (let offset = 0; offset < 3; offset++) {
      const code = index + offset < text.length ? text.charCodeAt(index + offset) : 0
      if (code > 255) throw new DOMException('The text has characters outside of Latin-1', 'InvalidCharacterError')
      bits = (bits << 8) | code
    }
    const digits = [18, 12, 6, 0].map((shift) => alphabet[(bits >> shift) & 63])
    if (index + 1 >= text.length) digits[2] = '='
    if (index + 2 >= text.length) digits[3] = '='
    encoded += digits.join('')
  }
  return encoded
}

/** Base64 → characters up to 255; white space is left out. */
export function atob(data: unknown): string {
  let text = String(data).replace(/[\t\n\f\r ]/g, '')
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, '')
  if (text.length % 4 === 1) throw malformed()
  let decoded = ''
  let bits = 0
  let count = 0
  for (const character of text) {
    const value = values.get(character)
    if (value === undefined) throw malformed()
    bits = (bits << 6) | value
    count += 6
    if (count >= 8) {
      count -= 8
      decoded += String.fromCharCode((bits >> count) & 255)
      bits &= (1 << count) - 1
    }
  }
  return decoded
}

function malformed(): DOMException {
  return new DOMException('The text is not base64', 'InvalidCharacterError')
}
