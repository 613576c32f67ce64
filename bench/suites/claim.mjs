import { setTimeout as delay } from 'node:timers/promises'
import { SandboxPool } from 'confine-sandbox'
import { inTurns, pairedRatio, summary } from '../lib/measure.mjs'
import { fromFork } from '../subjects/starts.mjs'

export const title = 'Claim from a warm pool to the first result of fresh code, ms'

/** Every claim gets a guest in which nothing ran before; the pool is full again before the next. */
export async function run({ rounds, warmUp }) {
  await using jseval = new SandboxPool({ runtime: 'jseval-confine-runtime', min: 2, max: 4 })
  await using jsisolate = new SandboxPool({ runtime: 'jsisolate-confine-runtime', min: 2, max: 4 })
  const samples = await inTurns(
    { fork: fromFork, 'confine jseval': () => claim(jseval), 'confine jsisolate': () => claim(jsisolate) },
    { rounds: rounds(40), warmUp: warmUp(5) },
  )
  return {
    unit: 'ms',
    reference: 'fork',
    figures: Object.entries(samples).map(([name, rounds]) => ({ name, ...summary(rounds), ratio: pairedRatio(rounds, samples.fork) })),
    ratios: { 'warm-claim': pairedRatio(samples['confine jseval'], samples.fork) },
    missing: [],
  }
}

async function claim(pool) {
  while (pool.stats.warm < 2) await delay(5)
  // The source differs each time: nothing of it was ever compiled.
  const source = `exports.add = (a, b) => a + b // ${Math.random()}`
  const started = performance.now()
  const sandbox = await pool.claim()
  const { cid } = await sandbox.execContainer({ source })
  if ((await sandbox.handleAPICall(cid, 'add', [1, 2])) !== 3) throw new Error('A wrong result')
  const taken = performance.now() - started
  await sandbox.teardown()
  return taken
}
