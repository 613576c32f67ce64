import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { inTurns, pairedRatio, summary } from '../lib/measure.mjs'
import { openConfine } from '../subjects/confine.mjs'

export const title = '100 at once: time for each until all have given a result, ms'

/** All are started in the same turn of the event loop. */
export async function run({ rounds, processes }) {
  const count = processes(100)
  const samples = await inTurns(
    { fork: () => allAtOnce(count, openFork), 'confine jseval': () => allAtOnce(count, openConfine) },
    { rounds: rounds(5), warmUp: 0 },
  )
  return {
    unit: 'ms',
    reference: 'fork',
    figures: Object.entries(samples).map(([name, rounds]) => ({ name, ...summary(rounds), ratio: pairedRatio(rounds, samples.fork) })),
    ratios: { hundred: pairedRatio(samples['confine jseval'], samples.fork) },
    missing: [],
  }
}

async function allAtOnce(count, open) {
  const started = performance.now()
  const opened = await Promise.all(Array.from({ length: count }, () => open()))
  await Promise.all(opened.map((one) => one.call?.('add', [1, 2])))
  const taken = (performance.now() - started) / count
  await Promise.all(opened.map((one) => one.close()))
  return taken
}

async function openFork() {
  const child = fork(fileURLToPath(new URL('../subjects/fork-child.cjs', import.meta.url)), { env: {} })
  await once(child, 'message')
  return {
    async close() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
