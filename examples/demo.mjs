// `npm run demo`: untrusted code in a confined guest process, with both runtimes.
import { fileURLToPath } from 'node:url'
import { parseArgs, styleText } from 'node:util'
import { Sandbox } from 'confine-sandbox'

const { values: flags } = parseArgs({ options: { 'no-sandbox': { type: 'boolean', default: false } } })
const prices = { apple: 2, pear: 3 }
const basket = [
  { name: 'apple', count: 4 },
  { name: 'pear', count: 2 },
]

for (const runtime of ['jseval-confine-runtime', 'jsisolate-confine-runtime']) await runProgram(runtime)
await catchThief()

async function runProgram(runtime) {
  heading(runtime)
  const started = performance.now()
  const sbx = new Sandbox({
    runtime,
    noSandbox: flags['no-sandbox'],
    globals: {
      lookUpPrice: async (name) => prices[name],
      log: (text) => row('host heard', text),
    },
  })
  const { cid } = await sbx.execContainer({ sourcePath: program('add-one.cjs') })
  row('addOne(5)', await sbx.handleAPICall(cid, 'addOne', [5]))
  row('first result', `${Math.round(performance.now() - started)} ms after new Sandbox()`)
  row('total(basket)', await sbx.handleAPICall(cid, 'total', [basket]))
  row('isolation', `${sbx.isolation.backend}: ${sbx.isolation.layers.join(', ') || 'nothing'}`)
  await sbx.teardown()
}

async function catchThief() {
  heading('a program that reads /etc/passwd')
  const sbx = new Sandbox({ runtime: 'jseval-confine-runtime', noSandbox: flags['no-sandbox'] })
  sbx.on('violation', ({ syscall, path, action }) => row('reported', `${syscall} ${path ?? ''} → ${action}`))
  const container = await sbx.execContainer({ sourcePath: program('steal.cjs') })
  try {
    const stolen = await container.call('steal')
    row('not refused', `${stolen.length} bytes of a file of the host`, 'red')
  } catch (error) {
    row('refused', error.message)
  }
  await sbx.teardown()
  row('guest ended by', sbx.guestExitSignal)
}

function program(name) {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url))
}

function heading(text) {
  console.log(`\n${styleText('bold', text)}`)
}

function row(label, value, colour = 'green') {
  console.log(`  ${styleText('dim', label.padEnd(15))} ${styleText(colour, String(value))}`)
}
