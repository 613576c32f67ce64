// An HTTP server that runs the code of each request in a guest of its own, from a pool: Hono, SandboxPool.
// `node http-server.mjs 3000` serves on that port; without one it asks itself some questions and ends.
import { once } from 'node:events'
import { serve } from '@hono/node-server'
import { ConfineError, SandboxPool } from 'confine-sandbox'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'

const pool = new SandboxPool({
  runtime: 'jseval-confine-runtime',
  min: 2,
  max: 4,
  maxWaiting: 20,
  limits: { memoryMiB: 128, lifeMs: 10_000, outputMiB: 1 },
})
const statusOf = {
  ERR_CONFINE_SOURCE_FAILED: 422,
  ERR_CONFINE_GUEST_THREW: 422,
  ERR_CONFINE_METHOD_NOT_FOUND: 422,
  ERR_CONFINE_VALUE: 422,
  ERR_CONFINE_GUEST_ENDED: 422,
  ERR_CONFINE_CONTAINER_CLOSED: 422,
  ERR_CONFINE_TIMEOUT: 408,
  ERR_CONFINE_LIMIT: 503,
}

const app = new Hono()
app.post('/run', bodyLimit({ maxSize: 100_000 }), async (context) => {
  const { source, input } = await context.req.json()
  if (typeof source !== 'string') return context.json({ error: 'source must be text' }, 400)
  // A client that hangs up stops waiting, and its guest ends.
  const { signal } = context.req.raw
  try {
    await using sandbox = await pool.claim({ signal })
    const container = await sandbox.execContainer({ source, signal, timeoutMs: 1_000 })
    return context.json({ result: (await container.call('run', [input], { signal, timeoutMs: 1_000 })) ?? null })
  } catch (error) {
    if (!ConfineError.is(error)) throw error
    return context.json({ error: error.code }, statusOf[error.code] ?? 500)
  }
})

const [port] = process.argv.slice(2).map(Number)
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: port ?? 0 })
if (!server.listening) await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/run`
if (port === undefined) {
  await ask('exports.run = ({ width, height }) => width * height', { width: 6, height: 7 })
  await ask('exports.run = () => { throw new Error("no") }')
  await ask('exports.run = () => { while (true); }')
  await ask('exports.run = () => require("fs").readFileSync("/etc/passwd", "utf8")')
  const crowd = await Promise.all(Array.from({ length: 12 }, (_, n) => post('exports.run = (n) => n * n', n)))
  console.log('a crowd:', (await Promise.all(crowd.map((response) => response.json()))).map(({ result }) => result).join(' '))
  server.close()
  await pool.close()
} else console.log(`POST { source, input } to ${url}`)

async function ask(source, input) {
  const response = await post(source, input)
  console.log(response.status, JSON.stringify(await response.json()))
}

function post(source, input) {
  return fetch(url, { method: 'POST', body: JSON.stringify({ source, input }) })
}
