import { formatter } from './inside/format.ts'
import { eventsModule } from './inside/node/events.ts'
import { pathModule } from './inside/node/path.ts'
import { utilModule } from './inside/node/util.ts'

/** The modules of Node that a program can load with `env: 'nodejs'`, as CommonJS text by name. The others exist, but every use of them throws. */
export const nodeShims: ReadonlyMap<string, string> = new Map([
  ['path', `module.exports = (${pathModule})()`],
  ['path/posix', "module.exports = require('path')"],
  ['events', `module.exports = (${eventsModule})()`],
  ['util', `module.exports = (${utilModule})((${formatter})())`],
  ['util/types', "module.exports = require('util').types"],
  ['process', 'module.exports = process'],
  ['console', 'module.exports = console'],
  ['timers', 'module.exports = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }'],
  [
    'timers/promises',
    `exports.setTimeout = (delay, value) => new Promise((resolve) => setTimeout(resolve, delay, value))
exports.setImmediate = (value) => new Promise((resolve) => setImmediate(resolve, value))`,
  ],
])
