import { inTurns, pairedRatio, summary } from '../lib/measure.mjs'
import { openPeers } from '../lib/peers.mjs'
import * as starts from '../subjects/starts.mjs'

export const title = 'Cold start to the first result, ms'

/** All that starts something, in turns. */
export async function run({ rounds, warmUp }) {
  const subjects = {
    fork: starts.fromFork,
    'confine jseval': () => starts.fromConfine('jseval-confine-runtime'),
    'confine jsisolate': () => starts.fromConfine('jsisolate-confine-runtime'),
  }
  const peers = {
    worker_threads: starts.fromWorkerThread,
    'bubblewrap + node': starts.fromBubblewrap,
    'quickjs-emscripten': starts.fromQuickJs,
    workerd: starts.fromWorkerd,
    'confine-sandbox 0.3.3, no isolation': starts.fromOriginal,
    'sandbox-runtime': starts.fromSandboxRuntime,
  }
  // One start of each tells which are there.
  const { opened, missing } = await openPeers(peers)
  const ours = await inTurns(subjects, { rounds: rounds(30), warmUp: warmUp(2) })
  const others = await inTurns(
    { fork: starts.fromFork, ...Object.fromEntries(Object.keys(opened).map((name) => [name, peers[name]])) },
    { rounds: rounds(8) },
  )
  const figure = ([name, samples], reference) => ({ name, ...summary(samples), ratio: pairedRatio(samples, reference) })
  const { fork: _again, ...theirs } = others
  return {
    unit: 'ms',
    reference: 'fork',
    figures: [
      ...Object.entries(ours).map((entry) => figure(entry, ours.fork)),
      ...Object.entries(theirs).map((entry) => figure(entry, others.fork)),
    ],
    ratios: {
      'cold-start-jseval': pairedRatio(ours['confine jseval'], ours.fork),
      'cold-start-jsisolate': pairedRatio(ours['confine jsisolate'], ours.fork),
    },
    missing,
  }
}
