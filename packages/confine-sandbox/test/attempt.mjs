// Runs one attack with options given as JSON and prints how it went: `node attempt.mjs <id> <options> <target>`.
// A process of its own, so that the control of an act aimed outside can run where there is no network.
import { attacks } from '@confine-sandbox/conformance'
import { Sandbox } from 'confine-sandbox'

const [id, options, target] = process.argv.slice(2)
const { source } = attacks.find((attack) => attack.id === id)
await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime', ...JSON.parse(options) })
const container = await sbx.execContainer({ source })
const outcome = await container.call('attempt', [JSON.parse(target)]).then(
  (got) => ({ got }),
  ({ code, message }) => ({ code, message }),
)
console.log(JSON.stringify(outcome))
