/** Milliseconds of a clock that never goes back. `performance.now()` is the same, and loads a dozen modules of Node when it is first used. */
export function now(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

// Taken before guest code can touch `process`.
const hrtime = process.hrtime.bind(process)
