// A registry on loopback that asks nobody else.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Starts verdaccio with its storage in `directory`; resolves when it answers. */
export async function startRegistry(directory) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  mkdirSync(directory, { recursive: true })
  const config = {
    storage: join(directory, 'storage'),
    auth: { htpasswd: { file: join(directory, 'htpasswd') } },
    uplinks: {},
    packages: { '**': { access: '$all', publish: '$authenticated' } },
    // isolated-vm is 20 MB.
    max_body_size: '100mb',
    web: { enable: false },
    log: { type: 'stdout', format: 'pretty', level: 'warn' },
  }
  writeFileSync(join(directory, 'config.yaml'), JSON.stringify(config))
  const program = fileURLToPath(new URL('node_modules/verdaccio/bin/verdaccio', import.meta.url))
  const args = [program, '--config', join(directory, 'config.yaml'), '--listen', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = () => child.kill()
  try {
    return { url, token: await signUp(url), stop }
  } catch (error) {
    stop()
    throw error
  }
}

async function signUp(url) {
  const user = { name: 'rehearsal', password: 'rehearsal-on-loopback', type: 'user', roles: [] }
  const request = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(user) }
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(`${url}-/user/org.couchdb.user:${user.name}`, request)
      return (await response.json()).token
    } catch (error) {
      if (attempt === 600) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
