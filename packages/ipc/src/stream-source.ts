/** What produces the items of a stream. */
export interface StreamSource {
  next(): PromiseLike<IteratorResult<unknown>> | IteratorResult<unknown>
  /** Nobody wants more: frees what the source holds. Never throws. */
  stop(): void
}

/** Opens anything that can be iterated asynchronously. A source that nobody has begun to read can be stopped, too. */
export function streamSource(value: AsyncIterable<unknown>): StreamSource {
  if (isWebStream(value)) return webSource(value)
  const stream = value as AsyncIterable<unknown> & { destroy?: unknown; on?: unknown }
  if (typeof stream.destroy === 'function' && typeof stream.on === 'function') {
    // It may fail before anybody reads it, and an 'error' that nobody listens to ends the process.
    stream.on('error', () => {})
    return iteratorSource(value, () => (stream.destroy as () => void)())
  }
  return iteratorSource(value, () => {})
}

function iteratorSource(value: AsyncIterable<unknown>, destroy: () => void): StreamSource {
  let iterator: AsyncIterator<unknown> | undefined
  const open = () => (iterator ??= value[Symbol.asyncIterator]())
  return {
    next: () => open().next(),
    stop: () =>
      quietly(() => {
        destroy()
        return open().return?.()
      }),
  }
}

/** Through a reader: only that can be cancelled while it waits. */
function webSource(value: ReadableStreamLike): StreamSource {
  let reader: ReadableStreamReaderLike | undefined
  const open = () => (reader ??= value.getReader())
  return {
    next: () => open().read() as Promise<IteratorResult<unknown>>,
    stop: () => quietly(() => open().cancel()),
  }
}

/** A source that cannot be stopped has nobody left to tell. */
function quietly(act: () => unknown): void {
  try {
    Promise.resolve(act()).catch(() => {})
  } catch {}
}

interface ReadableStreamReaderLike {
  read(): Promise<unknown>
  cancel(): Promise<unknown>
}

interface ReadableStreamLike {
  getReader(): ReadableStreamReaderLike
}

function isWebStream(value: object): value is ReadableStreamLike & AsyncIterable<unknown> {
  return 'getReader' in value && typeof value.getReader === 'function'
}
