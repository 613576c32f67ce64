// Runs a program with no descriptor left, so that nothing can be opened: that is how a locked guest finds itself.
import { openSync } from 'node:fs'
import { createRequire } from 'node:module'

const Runtime = createRequire(import.meta.url)(process.argv[2])
await Runtime.prepare()
void process.stdout
try {
  for (;;) openSync('/', 'r')
} catch (error) {
  if (error.code !== 'EMFILE') throw error
}
const runtime = new Runtime({
  globals: { host: async (x) => x },
  source: `
    const { createHash } = require('node:crypto')
    setInterval(() => {}, 1)
    exports.work = async () => {
      const zlib = await import('node:zlib')
      const errors = []
      for (const name of ['lodash', './other.js']) {
        try { require(name) } catch (error) { errors.push(error.code) }
        await import(name).catch((error) => errors.push(error.code))
      }
      try { null.x } catch (error) { errors.push(typeof error.stack) }
      return [await host(1), typeof zlib.gzipSync, createHash('sha256').update('a').digest('hex').slice(0, 4), String(new Date(0)).length > 0,
        new Intl.NumberFormat('en').format(1000), process.memoryUsage().heapUsed > 0, typeof fetch, typeof crypto.randomUUID(), ...errors]
    }`,
})
await runtime.init()
await runtime.run()
process.stdout.write(JSON.stringify(await runtime.handleAPICall('work')))
await runtime.close()
