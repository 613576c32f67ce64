import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import { wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js'
import ivm from 'isolated-vm'
import { Sandbox as OriginalSandbox } from 'original-confine-sandbox'
import { Piscina } from 'piscina'
import { getQuickJS } from 'quickjs-emscripten'
import { Tinypool } from 'tinypool'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

// Each opens something that adds two numbers elsewhere: { call, close, pid? }.

export async function openMessagePort() {
  const worker = new Worker(path('port-worker.cjs'))
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(port2, [port2])
  const waiting = new Map()
  let lastId = 0
  port1.on('message', ({ id, result }) => {
    waiting.get(id)(result)
    waiting.delete(id)
  })
  return {
    call: (_name, params) =>
      new Promise((resolve) => {
        const id = ++lastId
        waiting.set(id, resolve)
        port1.postMessage({ id, params })
      }),
    async close() {
      port1.close()
      await worker.terminate()
    },
  }
}

export async function openPiscina() {
  const pool = new Piscina({ filename: path('pool-worker.mjs'), minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 256 })
  return { call: (_name, params) => pool.run(params), close: () => pool.destroy() }
}

export async function openTinypool(runtime) {
  const pool = new Tinypool({ filename: path('pool-worker.mjs'), runtime, minThreads: 1, maxThreads: 1 })
  const [{ threadId }] = pool.threads
  await pool.run([1, 2])
  return {
    call: (_name, params) => pool.run(params),
    close: () => pool.destroy(),
    ...(runtime === 'child_process' ? { pid: threadId } : {}),
  }
}

export async function openComlink() {
  const worker = new Worker(path('comlink-worker.mjs'))
  const remote = wrap((nodeEndpoint.default ?? nodeEndpoint)(worker))
  return { call: (_name, [a, b]) => remote.add(a, b), close: () => worker.terminate() }
}

/** In this process. */
export async function openIsolate() {
  const isolate = new ivm.Isolate({ memoryLimit: 32 })
  const context = await isolate.createContext()
  const add = await context.eval('(a, b) => a + b', { reference: true })
  return { call: (_name, params) => add.apply(undefined, params), close: () => isolate.dispose() }
}

/** In this process and on this thread. */
export async function openQuickJs() {
  const context = (await getQuickJS()).newContext()
  const add = context.unwrapResult(context.evalCode('(a, b) => a + b'))
  return {
    async call(_name, [a, b]) {
      const result = context.unwrapResult(context.callFunction(add, context.undefined, context.newNumber(a), context.newNumber(b)))
      const sum = context.getNumber(result)
      result.dispose()
      return sum
    },
    close: () => add.dispose(),
  }
}

/** Its seccomp part cannot be installed: without isolation. */
export async function openOriginal() {
  const sandbox = new OriginalSandbox({
    runtime: createRequire(import.meta.url).resolve('legacy-jseval-confine-runtime'),
    noSandbox: true,
    globals: { add: (a, b) => a + b },
  })
  await sandbox.init()
  const { cid } = await sandbox.execContainer({ source: 'module.exports.add = (a, b) => a + b' })
  return {
    pid: sandbox.guestProcess.pid,
    call: (name, params) => sandbox.handleAPICall(cid, name, params),
    async close() {
      sandbox.ipcServer.close()
      sandbox.guestProcess.kill()
      await once(sandbox.guestProcess, 'exit')
    },
  }
}
