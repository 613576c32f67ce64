import { inTurns, pairedRatio, summary } from '../lib/measure.mjs'
import { openConfine } from '../subjects/confine.mjs'
import { openFork } from '../subjects/fork.mjs'
import { openSocket } from '../subjects/socket.mjs'

export const title = 'A Uint8Array from the host to the guest, MB/s'

/** Bytes one way, and a sign that all are there. */
export async function run({ rounds, warmUp }) {
  const [bare, confine, fork] = await Promise.all([openSocket(), openConfine(), openFork({ serialization: 'advanced' })])
  const figures = []
  const ratios = {}
  for (const mebibytes of [1, 16]) {
    const bytes = new Uint8Array(mebibytes * 1024 * 1024).fill(7)
    const speed = (act) => async () => {
      const started = performance.now()
      const size = await act()
      if (size !== undefined && size !== bytes.length) throw new Error('A wrong size')
      return bytes.length / 1000 / (performance.now() - started)
    }
    const samples = await inTurns(
      {
        'bare socket': speed(() => bare.send(bytes)),
        'confine jseval': speed(() => confine.call('size', [bytes])),
        'fork advanced': speed(() => fork.call('size', [bytes])),
      },
      { rounds: rounds(mebibytes === 1 ? 40 : 12), perRound: 2, warmUp: warmUp(3) },
    )
    for (const [name, rounds] of Object.entries(samples)) {
      figures.push({ name: `${name}, ${mebibytes} MiB`, ...summary(rounds), ratio: pairedRatio(rounds, samples['bare socket']) })
    }
    ratios[`transfer-${mebibytes}`] = pairedRatio(samples['confine jseval'], samples['bare socket'])
  }
  await Promise.all([bare.close(), confine.close(), fork.close()])
  return { unit: 'MB/s', reference: 'bare socket', figures, ratios, missing: [] }
}
