import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Sandbox } from 'confine-sandbox'
import { Sandbox as OriginalSandbox } from 'original-confine-sandbox'
import { openWorkerd } from './workerd.mjs'

const { resolve } = createRequire(import.meta.url)
const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const source = 'module.exports.add = (a, b) => a + b'

// Each starts something, waits for its first sign of life or result, and gives the milliseconds; the end is not counted.

export async function fromFork() {
  const started = performance.now()
  const child = fork(path('fork-child.cjs'), { env: {} })
  await once(child, 'message')
  const taken = performance.now() - started
  child.kill()
  await once(child, 'exit')
  return taken
}

export async function fromConfine(runtime, options = {}) {
  const started = performance.now()
  const sandbox = new Sandbox({ runtime, ...options })
  const { cid } = await sandbox.execContainer({ source })
  if ((await sandbox.handleAPICall(cid, 'add', [1, 2])) !== 3) throw new Error('A wrong result')
  const taken = performance.now() - started
  await sandbox.teardown()
  return taken
}

/** The original; its seccomp part cannot be installed, so this is what it takes without isolation. */
export async function fromOriginal() {
  // It leaves a listener behind for every sandbox.
  process.setMaxListeners(0)
  const started = performance.now()
  const sandbox = new OriginalSandbox({ runtime: resolve('legacy-jseval-confine-runtime'), noSandbox: true })
  await sandbox.init()
  const { cid } = await sandbox.execContainer({ source })
  if ((await sandbox.handleAPICall(cid, 'add', [1, 2])) !== 3) throw new Error('A wrong result')
  const taken = performance.now() - started
  await sandbox.teardown()
  sandbox.ipcServer.close()
  return taken
}

export async function fromWorkerThread() {
  const started = performance.now()
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage(3)", { eval: true })
  await once(worker, 'message')
  const taken = performance.now() - started
  await worker.terminate()
  return taken
}

/** Node in bubblewrap with every namespace and the whole file system to read; no filter of system calls. */
export function fromBubblewrap() {
  return fromOutput('bwrap', ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--unshare-all', '--die-with-parent', ...printing])
}

/** sandbox-runtime's command, as its users run it. */
export function fromSandboxRuntime() {
  const file = resolve('@anthropic-ai/sandbox-runtime').replace(/index\.js$/, 'cli.js')
  return fromOutput(process.execPath, [file, '--settings', path('sandbox-runtime.json'), ...printing])
}

/** A process that loads QuickJS and evaluates an expression. */
export function fromQuickJs() {
  return fromOutput(process.execPath, [path('quickjs-child.mjs')])
}

export async function fromWorkerd() {
  const started = performance.now()
  const workerd = await openWorkerd()
  await workerd.call('add', [1, 2])
  const taken = performance.now() - started
  await workerd.close()
  return taken
}

const printing = [process.execPath, '-e', 'process.stdout.write("3")']

async function fromOutput(file, args) {
  const started = performance.now()
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk) => (complaint += chunk))
  let taken
  child.stdout.once('data', () => {
    taken = performance.now() - started
  })
  const [code] = await once(child, 'close')
  if (taken === undefined) throw new Error(`${file} ended with ${code}: ${complaint.trim()}`)
  return taken
}
