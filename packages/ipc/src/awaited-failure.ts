/**
 * A promise that rejects with what `make` returns; another promise may be resolved with it. The error is made a little later, in
 * a step of that promise's own chain and not while bytes are read: so V8 goes on in its stack with the functions that await it,
 * and the caller finds the line that called.
 */
export async function awaitedFailure(make: () => Error): Promise<never> {
  // The promise that is resolved with this one listens to it after one turn of the queue of microtasks.
  const turn = Promise.resolve()
  await turn
  await turn
  throw make()
}

/** Gives an error that was made elsewhere the stack of here, when what failed is the caller's business and not where it was noticed. */
export function noticedHere<T extends Error>(error: T): T {
  Error.captureStackTrace(error, noticedHere)
  return error
}
