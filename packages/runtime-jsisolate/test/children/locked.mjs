// Runs programs with no descriptor left, so that nothing can be opened: that is how a locked guest finds itself.
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
const seen = []
for (const env of ['vanilla', 'nodejs']) {
  const runtime = new Runtime({
    env,
    globals: { host: async (x) => x },
    path: '/tmp/main.js',
    cjs: { requires: { given: { source: 'module.exports = "given"' }, read: '/etc/hosts' } },
    source: `
      setInterval(() => {}, 1)
      exports.work = async () => {
        const errors = []
        for (const name of ['lodash', './other.js', '/etc/hosts', 'read']) try { require(name) } catch (error) { errors.push(error.message) }
        return [await host(1), require('given'), String(new Date(0)).length > 0, new Intl.NumberFormat('en').format(1000), errors]
      }
      exports.loop = () => { for (;;); }`,
  })
  await runtime.init()
  await runtime.run()
  seen.push(await runtime.handleAPICall('work'))
  const loop = runtime.handleAPICall('loop').catch((error) => error.code)
  setTimeout(() => runtime.close(), 10)
  seen.push(await loop)
}
const esm = new Runtime({ source: "import './other.js'", path: '/tmp/main.mjs' })
seen.push(await esm.run().catch((error) => error.message))
await esm.close()
process.stdout.write(JSON.stringify(seen))
