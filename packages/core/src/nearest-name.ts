/**
 * The name that was probably meant: the same but for its case, its ending or two letters.
 * @returns undefined when none is near.
 */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  const wanted = given.toLowerCase().slice(0, maxLength)
  let best: string | undefined
  let least = 3
  for (const name of names) {
    const distance = distanceBetween(wanted, name.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = name
  }
  return best
}

/** How many letters must be changed, left out or put in; an ending that is missing is one, when more than half is there. */
function distanceBetween(given: string, name: string): number {
  if (given !== name && name.startsWith(given) && given.length * 2 > name.length) return 1
  // Of two short words any is near the other.
  if (Math.min(given.length, name.length) < 4) return given === name ? 0 : Number.POSITIVE_INFINITY
  let row = Array.from({ length: name.length + 1 }, (_, index) => index)
  for (let i = 1; i <= given.length; i++) {
    const next = [i]
    for (let j = 1; j <= name.length; j++) {
      const replaced = (row[j - 1] as number) + (given[i - 1] === name[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[name.length] as number
}

const maxLength = 64
