import { access } from 'node:fs'
import { prepareStreams } from './standard-streams.ts'

/**
 * Touches what Node makes lazily and what a locked process cannot make any more.
 * See docs/decisions for how each was found.
 */
export async function warmUp(): Promise<void> {
  // Node caches it; chdir and getcwd are gone later.
  process.cwd()
  prepareStreams()
  // Starts libuv's four worker threads: it aborts the process when the first asynchronous job cannot start them.
  await new Promise<void>((resolve) => access('/', () => resolve()))
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
