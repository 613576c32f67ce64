import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const child = fileURLToPath(new URL('fork-child.cjs', import.meta.url))

/** A child of child_process.fork that answers calls: what Node offers for the purpose, without any isolation. */
export async function openFork({ serialization = 'json' } = {}) {
  const process = fork(child, { serialization, env: {} })
  await once(process, 'message')
  const waiting = new Map()
  let lastId = 0
  process.on('message', (message) => {
    if (message.call === 'add') {
      process.send({ answer: message.params[0] + message.params[1] })
      return
    }
    waiting.get(message.id)(message.result)
    waiting.delete(message.id)
  })
  const request = (fields) =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      process.send({ id, ...fields })
    })
  return {
    pid: process.pid,
    call: (name, params) => request({ name, params }),
    callBack: (times) => request({ name: 'callBack', times }),
    async close() {
      process.kill()
      await once(process, 'exit')
    },
  }
}
