// What sandboxes and containers cost in memory as they become many: node bench/growth.mjs [MOST SANDBOXES] [MOST CONTAINERS].
// A sandbox takes some 10 to 13 MB: a thousand of them want as many GB. Reads /proc, so it is for Linux.
import { setTimeout as delay } from 'node:timers/promises'
import { Sandbox } from 'confine-sandbox'
import { privateKiB, processTree } from './lib/processes.mjs'

const [mostSandboxes = 100, mostContainers = 1000] = process.argv.slice(2).map(Number)
const counts = [1, 10, 100, 1000]
const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']
const source = 'exports.add = (a, b) => a + b'

for (const runtime of runtimes) {
  console.log(`\n${runtime}: sandboxes of one container; MiB in all, MiB and ms for each one more`)
  await grow(mostSandboxes, async () => {
    const sandbox = new Sandbox({ runtime })
    await load(sandbox)
    return sandbox
  })
  console.log(`\n${runtime}: containers in one sandbox; MiB in all, MiB and ms for each one more`)
  const shared = new Sandbox({ runtime, maxContainers: 100_000, limits: { memoryMiB: 8192 } })
  await grow(mostContainers, async () => {
    await load(shared)
    return shared
  })
}

async function load(sandbox) {
  const { cid } = await sandbox.execContainer({ source })
  await sandbox.handleAPICall(cid, 'add', [1, 2])
}

async function grow(most, addOne) {
  const sandboxes = new Set()
  let added = 0
  let before = { count: 0, mebibytes: 0 }
  for (const count of counts.filter((count) => count <= most)) {
    const started = performance.now()
    for (; added < count; added++) sandboxes.add(await addOne())
    const each = (performance.now() - started) / (count - before.count)
    await delay(300)
    const pids = [...sandboxes].flatMap(({ guestProcess }) => processTree(guestProcess.pid))
    const mebibytes = pids.reduce((sum, pid) => sum + privateKiB(pid).dirtyKiB, 0) / 1024
    const more = (mebibytes - before.mebibytes) / (count - before.count)
    console.log(
      `${String(count).padStart(6)} ${mebibytes.toFixed(1).padStart(9)} ${more.toFixed(2).padStart(7)} ${each.toFixed(1).padStart(7)}`,
    )
    before = { count, mebibytes }
  }
  console.log(`  host: ${(process.memoryUsage().rss / 1024 / 1024).toFixed(0)} MiB resident`)
  await Promise.all([...sandboxes].map((sandbox) => sandbox.teardown()))
}
