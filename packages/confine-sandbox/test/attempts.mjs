// Runs every attack in a sandbox of its own, with options given as JSON, and prints how each went:
// `node attempts.mjs <options> <target> [ids]`. A process of its own, so that it can run on a machine that lacks things.
import { attacks as all } from '@confine-sandbox/conformance'
import { Sandbox } from 'confine-sandbox'

const [options, target, ids] = process.argv.slice(2)
const attacks = ids === undefined ? all : all.filter(({ id }) => JSON.parse(ids).includes(id))
const atOnce = 4
const outcomes = []
let next = 0

const worker = async () => {
  while (next < attacks.length) outcomes.push(await attempt(attacks[next++]))
}

async function attempt({ id, source }) {
  await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime', ...JSON.parse(options) })
  try {
    const container = await sbx.execContainer({ source })
    const { tier, walls } = sbx.isolation
    const outcome = await container.call('attempt', [JSON.parse(target)]).then(
      (got) => ({ got }),
      ({ code, end }) => ({ code, end: end?.kind }),
    )
    await sbx.teardown()
    return { id, tier: tier?.name, because: tier?.because, walls, signal: sbx.guestExitSignal, ...outcome }
  } catch ({ code, message }) {
    return { id, code, message }
  }
}

await Promise.all(Array.from({ length: atOnce }, worker))
console.log(JSON.stringify(outcomes))
