/**
 * Samples subjects in turns, so that whatever else the machine does meets all of them alike.
 * @param {Record<string, () => Promise<number>>} subjects Each gives one sample.
 * @param {{ rounds: number, perRound?: number, warmUp?: number }} options
 * @returns {Promise<Record<string, number[][]>>} By subject: the samples of each round.
 */
export async function inTurns(subjects, { rounds, perRound = 1, warmUp = 1 }) {
  const names = Object.keys(subjects)
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    // Each round begins with another one: to be first, or behind a heavy neighbour, is nobody's privilege.
    const first = ((round % names.length) + names.length) % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const taken = []
      for (let i = 0; i < perRound; i++) taken.push(await subjects[name]())
      if (round >= 0) samples[name].push(taken)
    }
  }
  return samples
}

/** The figures of one subject. */
export function summary(rounds) {
  const all = rounds.flat()
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), best: Math.min(...all), n: all.length }
}

/** The median of the ratios of the rounds: each compares what was measured side by side. */
export function pairedRatio(rounds, reference) {
  return median(rounds.map((round, index) => median(round) / median(reference[index])))
}

export function median(values) {
  return quantile(values, 0.5)
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * q
  const low = Math.floor(place)
  const high = Math.ceil(place)
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low)
}

/** Calls per second with that many under way. */
export async function throughput(call, inFlight, milliseconds) {
  let done = 0
  const started = performance.now()
  const until = started + milliseconds
  const lane = async () => {
    while (performance.now() < until) {
      // The clock is asked once in eight calls: it costs as much as a tenth of one.
      for (let i = 0; i < 8; i++) await call()
      done += 8
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return (done / (performance.now() - started)) * 1000
}
