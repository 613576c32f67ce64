import { fstatSync } from 'node:fs'
import type { Socket } from 'node:net'
import { openPipe } from '@confine-sandbox/ipc'

/**
 * Opens what the standard streams stand on, since a locked process can open nothing. The streams themselves are made when a
 * program first asks for one: the modules for them take longer to load than most programs.
 */
export function prepareStreams(): void {
  defineStream('stdin', emptyInput)
  for (const [fd, name] of [
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const) {
    const pipe = isPipe(fd) ? openPipe(fd) : undefined
    // What is no pipe Node makes itself, asking the system about it.
    if (pipe === undefined) void process[name]
    else defineStream(name, () => output(fd, pipe.handle))
    pipe?.handle.unref()
  }
}

function defineStream(name: 'stdin' | 'stdout' | 'stderr', make: () => object): void {
  let stream: object | undefined
  Object.defineProperty(process, name, { get: () => (stream ??= make()), configurable: true, enumerable: true })
}

/** Standard input is /dev/null. Node would load its file streams, and what they need, to find nothing in it. */
function emptyInput(): object {
  const { Readable } = process.getBuiltinModule('node:stream')
  const stdin = new Readable({ read: () => void stdin.push(null) })
  return Object.assign(stdin, { fd: 0 })
}

function isPipe(fd: number): boolean {
  try {
    const kind = fstatSync(fd)
    return kind.isSocket() || kind.isFIFO()
  } catch {
    return false
  }
}

/** What Node makes of a pipe that is its standard output: it is written to the end, is never closed, and keeps nothing alive. */
function output(fd: number, handle: object): Socket {
  const { Socket } = process.getBuiltinModule('node:net')
  const stream = new Socket({ handle, readable: false, writable: true } as object) as Socket & { _undestroy(): void }
  return Object.assign(stream, {
    ...{ fd, _type: 'pipe', _isStdio: true, destroySoon: stream.destroy },
    _destroy(error: Error | null, done: (error: Error | null) => void) {
      done(error)
      stream._undestroy()
      process.nextTick(() => stream.emit('close'))
    },
  })
}
