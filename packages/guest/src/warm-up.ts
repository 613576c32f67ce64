import { access } from 'node:fs'
import { Readable } from 'node:stream'

/**
 * Touches what Node makes lazily and what a locked process cannot make any more.
 * See docs/decisions for how each was found.
 */
export async function warmUp(): Promise<void> {
  // Node caches it; chdir and getcwd are gone later.
  process.cwd()
  // Each stream asks the system about its descriptor.
  emptyStdin()
  void process.stdout
  void process.stderr
  // Starts libuv's four worker threads: it aborts the process when the first asynchronous job cannot start them.
  await new Promise<void>((resolve) => access('/', () => resolve()))
}

/** Standard input is /dev/null. Node would load its file streams, and what they need, to find nothing in it. */
function emptyStdin(): void {
  let stdin: Readable | undefined
  const get = () => (stdin ??= Object.assign(new Readable({ read: () => void stdin?.push(null) }), { fd: 0 }))
  Object.defineProperty(process, 'stdin', { get, configurable: true, enumerable: true })
}

/** Without /proc Node's memory report throws; programs and libraries do not expect that. */
export function mendMemoryUsage(): void {
  const report = process.memoryUsage
  const mended = (): NodeJS.MemoryUsage => {
    try {
      return report()
    } catch {
      const { total_heap_size, used_heap_size, external_memory } = heapStatistics()
      return { rss: 0, heapTotal: total_heap_size, heapUsed: used_heap_size, external: external_memory, arrayBuffers: 0 }
    }
  }
  process.memoryUsage = Object.assign(mended, {
    rss(): number {
      try {
        return report.rss()
      } catch {
        return 0
      }
    },
  })
}

function heapStatistics() {
  return process.getBuiltinModule('node:v8').getHeapStatistics()
}
