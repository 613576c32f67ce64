// `npm run bench`: everything that is measured, each beside its reference in the same run. --help tells the flags.
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chart } from './lib/chart.mjs'
import { readFlags } from './lib/flags.mjs'
import { machine } from './lib/machine.mjs'
import { installMissingTools } from './lib/tools.mjs'
import { figureLines, promiseLines } from './lib/text.mjs'
import { judge } from './targets.mjs'

const suiteTimeoutMs = 300_000
const suites = [
  { name: 'start' },
  { name: 'claim' },
  { name: 'containers' },
  { name: 'calls', placement: 'same', where: 'one core for both sides' },
  { name: 'calls', placement: 'apart', where: 'one core each' },
  { name: 'transfer' },
  { name: 'memory' },
  { name: 'hundred' },
  { name: 'blocked' },
]

const flags = readFlags([...new Set(suites.map(({ name }) => name))])
const scale = flags.smoke ? 0.01 : flags.quick ? 0.15 : 1
const path = (name) => fileURLToPath(new URL(name, import.meta.url))

if (process.platform !== 'linux') {
  console.error('The benchmarks measure the isolation of Linux, and read /proc: run them there.')
  process.exit(1)
}
if (!flags.smoke) installMissingTools()
console.log(machine())

const ratios = {}
const missing = []
const failed = []
const measured = []
for (const suite of suites) {
  if (flags.only !== undefined && !flags.only.includes(suite.name)) continue
  try {
    const found = await runSuite(suite)
    Object.assign(ratios, found.ratios)
    for (const one of found.missing) if (!missing.some(({ peer }) => peer === one.peer)) missing.push(one)
    measured.push({ ...suite, ...found })
    console.log(figureLines(suite.where === undefined ? found.title : `${found.title}; ${suite.where}`, found))
  } catch (error) {
    failed.push(suite.name)
    console.error(`\nThe suite ${suite.name} failed: ${error.message}`)
  }
}

const rows = judge(ratios)
console.log(promiseLines(rows))
for (const { peer, why } of missing) console.log(`Missing: ${peer} (${why})`)
const results = { machine: machine(), rows, measured, missing }
writeFileSync(path('results.json'), `${JSON.stringify(results, null, 2)}\n`)
writeFileSync(path('results.svg'), chart(rows))
if (flags.chart !== undefined) writeFileSync(flags.chart, chart(rows))
console.log(`\nWritten: bench/results.json, bench/results.svg`)
// To miss a promise is a result; to measure nothing is a failure.
process.exit(failed.length === 0 ? 0 : 1)

function runSuite({ name, placement = 'free' }) {
  return new Promise((resolve, reject) => {
    const child = fork(path('suite-process.mjs'), [name, String(scale), placement], { execArgv: ['--no-deprecation'] })
    const deadline = setTimeout(() => child.kill('SIGKILL'), suiteTimeoutMs)
    let found
    child.on('message', (message) => (found = message))
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(deadline)
      if (found !== undefined) resolve(found)
      else reject(new Error(signal === 'SIGKILL' ? `not through after ${suiteTimeoutMs / 1000} seconds` : `ended with ${code ?? signal}`))
    })
  })
}
