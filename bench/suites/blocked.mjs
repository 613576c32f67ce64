import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Sandbox } from 'confine-sandbox'
import { inTurns, pairedRatio, summary } from '../lib/measure.mjs'

export const title = 'Longest pause of the event loop during a launch, in a host of 1 GB, ms'

/** spawn() copies the page tables of its process, so it takes longer in a large one, and nothing else happens meanwhile. */
export async function run({ rounds, warmUp }) {
  const ballast = Array.from({ length: 16 }, () => Buffer.alloc(64 * 1024 * 1024, 1))
  const samples = await inTurns(
    { spawn: () => longestPause(launchNode), 'confine jseval': () => longestPause(launchSandbox) },
    { rounds: rounds(20), warmUp: warmUp(2) },
  )
  ballast.length = 0
  return {
    unit: 'ms',
    reference: 'spawn',
    figures: Object.entries(samples).map(([name, rounds]) => ({ name, ...summary(rounds), ratio: pairedRatio(rounds, samples.spawn) })),
    ratios: { 'blocked-launch': pairedRatio(samples['confine jseval'], samples.spawn) },
    missing: [],
  }
}

async function longestPause(launch) {
  let last = performance.now()
  let longest = 0
  let isOver = false
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  const end = await launch()
  isOver = true
  look()
  await end()
  return longest
}

async function launchNode() {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("3"); setInterval(() => {}, 1000)'], { env: {} })
  await once(child.stdout, 'data')
  return async () => {
    child.kill()
    await once(child, 'exit')
  }
}

async function launchSandbox() {
  const sandbox = new Sandbox({ runtime: 'jseval-confine-runtime' })
  await sandbox.init()
  return () => sandbox.teardown()
}
