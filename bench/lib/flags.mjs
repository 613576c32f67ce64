import { parseArgs } from 'node:util'

/**
 * The flags of the command line. Ends the process with a usage text when somebody asks for it, and with an error for what nobody knows.
 * @param {readonly string[]} suites The names of the suites.
 */
export function readFlags(suites, args = process.argv.slice(2)) {
  try {
    const { values } = parseArgs({ args, options })
    if (values.help) {
      console.log(usage(suites))
      process.exit(0)
    }
    const only = values.only?.split(',')
    const unknown = only?.find((name) => !suites.includes(name))
    if (unknown !== undefined) throw new Error(`There is no suite "${unknown}"; there are ${suites.join(', ')}`)
    return { ...values, only }
  } catch (error) {
    console.error(`${error.message}\n\n${usage(suites)}`)
    process.exit(64)
  }
}

const options = {
  help: { type: 'boolean', short: 'h', default: false },
  quick: { type: 'boolean', default: false },
  smoke: { type: 'boolean', default: false },
  only: { type: 'string' },
  chart: { type: 'string' },
}

const usage = (
  suites,
) => `Measures confine-sandbox, each figure beside a reference in the same run, and compares them with what is promised.

Usage
  npm run bench
  node bench/run.mjs [options]    when everything is built

Options
  --quick         fewer rounds, under a minute
  --smoke         hardly any: does it run?
  --only=<a,b>    these suites only: ${suites.join(', ')}
  --chart=<file>  write the chart there as well
  -h, --help      print this

Written are bench/results.json and bench/results.svg. The first run installs what it compares with, unless --smoke is given.
Exit codes: 0 all suites were measured, whether or not a promise was missed; 1 one of them failed; 64 the command line is wrong.`
