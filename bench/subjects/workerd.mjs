import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import workerd from 'workerd'

/** workerd with a worker that adds; asked over HTTP on loopback, as it can be asked. */
export async function openWorkerd() {
  const directory = mkdtempSync(join(tmpdir(), 'confine-bench-'))
  writeFileSync(join(directory, 'worker.js'), worker)
  writeFileSync(join(directory, 'config.capnp'), config)
  const child = spawn(workerd.default ?? workerd, ['serve', '--control-fd=3', join(directory, 'config.capnp')], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  const remove = () => rmSync(directory, { recursive: true, force: true })
  const [event] = await Promise.race([
    once(child.stdio[3], 'data'),
    once(child, 'close').then(([code]) => {
      remove()
      throw new Error(`workerd ended with ${code}`)
    }),
  ])
  const { port } = JSON.parse(String(event).split('\n')[0])
  const agent = new Agent({ keepAlive: true })
  return {
    pid: child.pid,
    call: (_name, params) => post(agent, port, JSON.stringify(params)),
    async close() {
      agent.destroy()
      child.kill('SIGKILL')
      await once(child, 'close')
      remove()
    },
  }
}

function post(agent, port, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, host: '127.0.0.1', method: 'POST' }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text)))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const worker = `export default {
  async fetch(request) {
    const [a, b] = await request.json()
    return new Response(JSON.stringify(a + b))
  },
}`

const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-01-01",
);`
