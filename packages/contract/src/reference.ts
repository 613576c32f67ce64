/**
 * A function of the other side, host or guest. Calling it sends a message and returns a promise; nothing of the other
 * side runs here. Nobody has to handle its rejection: an answer that nobody awaits may fail unheard.
 */
export interface Callback<Params extends readonly any[] = any[], Result = any> {
  /** @throws ERR_CONFINE_REVOKED when it was released, ERR_CONFINE_CONTAINER_CLOSED, else as calls of exported functions do. */
  (...params: Params): Promise<Result>
  /** Lets it go: the other side may forget the function. Calling it afterwards fails. Done by itself when it is garbage. */
  release(): void
  [Symbol.dispose](): void
}

/**
 * A stream of the other side, host or guest. It can be iterated once. The other side produces no more than a window ahead
 * of what was taken here. Leaving the iteration early stops the source.
 */
export interface RemoteStream<T = any> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** @throws what the source failed with; ERR_CONFINE_CONTAINER_CLOSED. */
  next(): Promise<IteratorResult<T, undefined>>
  /** Stops the source, and ends the iteration. */
  return(): Promise<IteratorResult<T, undefined>>
}

/** A function that stands for one of a runtime's program may have this method: it is called when the other side let the function go. */
export const released: unique symbol = Symbol.for('confine-sandbox.released')
