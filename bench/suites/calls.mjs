import { inTurns, pairedRatio, summary, throughput } from '../lib/measure.mjs'
import { openPeers } from '../lib/peers.mjs'
import { processTree } from '../lib/processes.mjs'
import * as callers from '../subjects/callers.mjs'
import { openConfine } from '../subjects/confine.mjs'
import { openFork } from '../subjects/fork.mjs'
import { openWorkerd } from '../subjects/workerd.mjs'

export const title = 'Calls of add(1, 2), one at a time, µs, and 256 in flight, thousands per second'

/** Round trips, calls back and calls in flight, with the answering process on the same core or on the other. */
export async function run({ rounds, warmUp, placement, place }) {
  const { opened, missing } = await openPeers({
    'fork json': () => openFork(),
    'fork advanced': () => openFork({ serialization: 'advanced' }),
    'confine jseval': () => openConfine(),
    'confine jseval, noSandbox': () => openConfine({ noSandbox: true }),
    'confine jsisolate': () => openConfine({ runtime: 'jsisolate-confine-runtime' }),
    'MessagePort of a worker': callers.openMessagePort,
    piscina: callers.openPiscina,
    'tinypool, thread': () => callers.openTinypool('worker_threads'),
    'tinypool, process': () => callers.openTinypool('child_process'),
    comlink: callers.openComlink,
    'isolated-vm, its thread': callers.openIsolate,
    'quickjs-emscripten': callers.openQuickJs,
    workerd: openWorkerd,
    'confine-sandbox 0.3.3, no isolation': callers.openOriginal,
  })
  for (const { pid } of Object.values(opened)) if (pid !== undefined) place(processTree(pid))
  const entries = Object.entries(opened)
  // A sample is the mean of a few calls: at some microseconds each, the clock itself would be measured.
  const roundTrips = await inTurns(Object.fromEntries(entries.map(([name, subject]) => [name, oneAtATime(subject.call)])), {
    rounds: rounds(60),
    perRound: 40,
    warmUp: warmUp(10),
  })
  const callBacks = await inTurns(
    Object.fromEntries(entries.filter(([, subject]) => subject.callBack).map(([name, subject]) => [name, callBack(subject)])),
    { rounds: rounds(60), perRound: 10, warmUp: warmUp(10) },
  )
  const inFlight = await inTurns(
    Object.fromEntries(entries.map(([name, { call }]) => [name, () => throughput(() => call('add', [1, 2]), 256, 60)])),
    { rounds: rounds(12), warmUp: warmUp(6) },
  )
  await Promise.all(entries.map(([, subject]) => subject.close()))
  const part = (name) => `${name}-${placement}`
  const confine = 'confine jseval'
  return {
    unit: 'µs',
    reference: 'fork json',
    figures: entries.map(([name]) => ({
      name,
      ...summary(roundTrips[name]),
      ratio: pairedRatio(roundTrips[name], roundTrips['fork json']),
      ...(callBacks[name] ? { callBack: summary(callBacks[name]).p50 } : {}),
      thousandsPerSecond: summary(inFlight[name]).p50 / 1000,
    })),
    ratios: {
      [part('round-trip')]: pairedRatio(roundTrips[confine], roundTrips['fork json']),
      [part('reverse-call')]: pairedRatio(callBacks[confine], callBacks['fork json']),
      [part('pipelined')]: pairedRatio(inFlight[confine], inFlight['fork json']),
      ...(placement === 'same' ? { 'isolation-cost': pairedRatio(roundTrips[confine], roundTrips['confine jseval, noSandbox']) } : {}),
      // There is no such path: the ordinary one is what its users have. See docs/decisions.md.
      ...(placement === 'apart' ? { 'fast-path': pairedRatio(roundTrips[confine], roundTrips['fork json']) } : {}),
    },
    missing,
  }
}

function oneAtATime(call) {
  return async () => {
    const started = performance.now()
    for (let i = 0; i < callsPerSample; i++) await call('add', [1, 2])
    return ((performance.now() - started) * 1000) / callsPerSample
  }
}

function callBack(subject) {
  return async () => {
    const started = performance.now()
    await subject.callBack(callsPerSample * 4)
    return ((performance.now() - started) * 1000) / (callsPerSample * 4)
  }
}

const callsPerSample = 5
