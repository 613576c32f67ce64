import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { median, summary } from '../lib/measure.mjs'
import { privateKiB, processTree } from '../lib/processes.mjs'
import { openConfine } from '../subjects/confine.mjs'

export const title = 'Private memory of an idle guest with all of its processes, MiB'

/** Twenty of each kind, idle, after one call. */
export async function run({ processes }) {
  const kinds = {
    'bare node -e': openBareNode,
    'confine jseval': openConfine,
    'confine jsisolate': () => openConfine({ runtime: 'jsisolate-confine-runtime' }),
  }
  const found = {}
  const missing = []
  for (const [name, open] of Object.entries(kinds)) {
    const opened = []
    for (let i = 0; i < processes(20); i++) opened.push(await open())
    for (const guest of opened) await guest.call?.('add', [1, 2])
    // What was left behind by the start is collected, or not, as it will be in service.
    await new Promise((resolve) => setTimeout(resolve, 300))
    try {
      found[name] = opened.map(({ pid }) => processTree(pid).reduce((sum, one) => sum + privateKiB(one).dirtyKiB / 1024, 0))
    } catch (error) {
      missing.push({ peer: `memory of ${name}`, why: `it cannot be read without being root: ${error.message}` })
    }
    await Promise.all(opened.map((guest) => guest.close()))
  }
  const reference = median(found['bare node -e'])
  return {
    unit: 'MiB',
    reference: 'bare node -e',
    figures: Object.entries(found).map(([name, values]) => ({ name, ...summary([values]), ratio: median(values) / reference })),
    ratios: found['confine jseval'] === undefined ? {} : { memory: median(found['confine jseval']) / reference },
    missing,
  }
}

async function openBareNode() {
  const code = "new (require('node:net').Socket)({ fd: 3 }).on('data', () => {}).write('.')"
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: {} })
  await once(child.stdio[3], 'data')
  return {
    pid: child.pid,
    async close() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
