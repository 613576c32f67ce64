import { eventsModule } from './inside/node/events.ts'
import { pathModule } from './inside/node/path.ts'
import { ShimArchive } from './shim-archive.ts'

/** The texts that come from a file. Of the process: read once, before it is locked. */
export const archive = new ShimArchive()

/**
 * The text of a module of Node that a program can load with `env: 'nodejs'`, as CommonJS. The others exist, but every use of
 * them throws.
 */
export function nodeShim(name: string): string | undefined {
  return own.get(name) ?? (name === 'web' ? undefined : archive.text(name))
}

const own: ReadonlyMap<string, string> = new Map([
  ['path', `module.exports = (${pathModule})()`],
  ['path/posix', "module.exports = require('path')"],
  ['events', `module.exports = (${eventsModule})()`],
  ['util/types', "module.exports = require('util').types"],
  ['assert/strict', "module.exports = require('assert').strict"],
  ['stream/promises', "module.exports = require('stream').promises"],
  ['sys', "module.exports = require('util')"],
  ['process', 'module.exports = process'],
  ['console', 'module.exports = console'],
  ['perf_hooks', 'exports.performance = performance'],
  ['tty', 'exports.isatty = () => false'],
  ['constants', 'module.exports = {}'],
  ['timers', 'module.exports = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }'],
  [
    'timers/promises',
    `const abortable = (start, stop) => (delay, value, { signal } = {}) => new Promise((resolve, reject) => {
  if (signal?.aborted) return reject(signal.reason)
  const timer = start(() => resolve(value), delay)
  signal?.addEventListener('abort', () => { stop(timer); reject(signal.reason) }, { once: true })
})
exports.setTimeout = abortable(setTimeout, clearTimeout)
exports.setImmediate = (value, options) => abortable(setImmediate, clearImmediate)(0, value, options)
exports.setInterval = async function* (delay, value) { for (;;) { await exports.setTimeout(delay); yield value } }
exports.scheduler = { wait: (delay, options) => exports.setTimeout(delay, undefined, options), yield: () => exports.setImmediate() }`,
  ],
])
