/** A value that should not have been given, in a few words for a message. Runs nothing of the value's: no toString, no toJSON, no getter. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value)
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
    case 'function':
      return 'a function'
    case 'bigint':
      return `${value}n`
    default:
      return String(value)
  }
}

const longest = 200
