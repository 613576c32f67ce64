// Six ways to end, each with its reason as data.
import { Sandbox } from 'confine-sandbox'

const programs = {
  exits: 'exports.run = () => process.exit(3)',
  steals: "exports.run = () => require('node:fs').readFileSync('/etc/passwd')",
  'takes CPU time': 'exports.run = () => { while (true); }',
  'takes memory': 'exports.run = () => { const all = []; while (true) all.push(new Uint8Array(1 << 20).fill(1)) }',
  'lives too long': 'exports.run = () => new Promise(() => {})',
  'writes too much': "exports.run = async () => { for (;;) await new Promise((done) => process.stdout.write('x'.repeat(1 << 16), done)) }",
}
const limits = { memoryMiB: 64, cpuSeconds: 1, outputMiB: 1 }

for (const [what, source] of Object.entries(programs)) {
  const sbx = new Sandbox({
    runtime: 'jseval-confine-runtime',
    limits: { ...limits, lifeMs: what === 'lives too long' ? 500 : 20_000 },
  })
  const program = await sbx.execContainer({ source })
  await program.call('run').catch(() => {})
  await sbx.whenGuestProcessClosed
  const { kind, violation } = sbx.guestEnd
  console.log(`${what}: ${kind}${violation === undefined ? '' : ` (${violation.syscall} ${violation.path})`}`)
}
