// One suite in a process of its own: node suite-process.mjs NAME SCALE [CORES]. Its last act is to send what it found.
import { pin } from './lib/processes.mjs'

const [name, scale, placement = 'free'] = process.argv.slice(2)
// Does it run? Figures are nobody's concern then.
const isSmoke = Number(scale) < 0.05
const suite = await import(`./suites/${name}.mjs`)
if (placement !== 'free') pin([process.pid], 0)
const found = await suite.run({
  placement,
  /** So many rounds on the full scale, fewer on a smaller one. */
  rounds: (count) => Math.max(2, Math.round(count * Number(scale))),
  /** So many rounds before those that count; hardly any when the scale is tiny. */
  warmUp: (count) => (isSmoke ? 1 : count),
  /** So many processes at once, a few when the scale is tiny. */
  processes: (count) => (isSmoke ? Math.ceil(count / 10) : count),
  /** Keeps what answers on a core: the same one as the caller, or the other. */
  place: (pids) => placement === 'free' || pin(pids, placement === 'same' ? 0 : 1),
})
process.send({ title: suite.title, ...found }, () => process.exit(0))
