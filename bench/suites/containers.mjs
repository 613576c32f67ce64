import vm from 'node:vm'
import { Sandbox } from 'confine-sandbox'
import ivm from 'isolated-vm'
import { inTurns, pairedRatio, summary } from '../lib/measure.mjs'

export const title = 'A new container in a live guest to its first result, ms'

/** Against the barest thing that V8 offers for the purpose, in this very process. */
export async function run({ rounds, warmUp }) {
  const jseval = new Sandbox({ runtime: 'jseval-confine-runtime', maxContainers: 100_000 })
  const jsisolate = new Sandbox({ runtime: 'jsisolate-confine-runtime' })
  const samples = await inTurns(
    {
      'vm.createContext': bareContext,
      'confine jseval': () => container(jseval),
      'ivm.Isolate and context': bareIsolate,
      'confine jsisolate': () => container(jsisolate),
    },
    { rounds: rounds(60), perRound: 5, warmUp: warmUp(10) },
  )
  await Promise.all([jseval.teardown(), jsisolate.teardown()])
  const reference = { 'vm.createContext': 1, 'confine jseval': 'vm.createContext', 'confine jsisolate': 'ivm.Isolate and context' }
  return {
    unit: 'ms',
    reference: 'the bare one',
    figures: Object.entries(samples).map(([name, rounds]) => ({
      name,
      ...summary(rounds),
      ratio: pairedRatio(rounds, samples[reference[name]] ?? rounds),
    })),
    ratios: {
      'new-container-jseval': pairedRatio(samples['confine jseval'], samples['vm.createContext']),
      'new-container-jsisolate': pairedRatio(samples['confine jsisolate'], samples['ivm.Isolate and context']),
    },
    missing: [],
  }
}

async function bareContext() {
  const started = performance.now()
  const context = vm.createContext({ exports: {} })
  vm.runInContext(source, context)
  if (context.exports.add(1, 2) !== 3) throw new Error('A wrong result')
  return performance.now() - started
}

async function bareIsolate() {
  const started = performance.now()
  const isolate = new ivm.Isolate({ memoryLimit: 128 })
  const context = isolate.createContextSync()
  const add = context.evalSync('const exports = {}; exports.add = (a, b) => a + b; exports.add', { reference: true })
  if (add.applySync(undefined, [1, 2]) !== 3) throw new Error('A wrong result')
  const taken = performance.now() - started
  isolate.dispose()
  return taken
}

async function container(sandbox) {
  const started = performance.now()
  const { cid } = await sandbox.execContainer({ source })
  if ((await sandbox.handleAPICall(cid, 'add', [1, 2])) !== 3) throw new Error('A wrong result')
  const taken = performance.now() - started
  await sandbox.killContainer({ cid })
  return taken
}

const source = 'exports.add = (a, b) => a + b'
