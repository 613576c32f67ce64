// For each of a list: makes a sandbox of JSON options, loads a program and calls its `run`. Prints how they went: a process
// of its own, so that it can be started as another user. The programs can ask the host for what `actions` name.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { Sandbox } from 'confine-sandbox'

const actions = {
  async replace(path) {
    renameSync(path, `${path}-moved`)
    mkdirSync(path)
    writeFileSync(`${path}/file`, 'canary')
  },
  async one(x) {
    return x === 'x' ? 'y' : x + 1
  },
  async link(target, path) {
    symlinkSync(target, path)
  },
}

async function run({ options, source, params }) {
  const violations = []
  let outcome
  let sbx
  try {
    sbx = new Sandbox({ runtime: 'jseval-confine-runtime', globals: { host: actions }, ...options })
    sbx.on('violation', ({ syscall }) => violations.push(syscall))
    const container = await sbx.execContainer({ source })
    outcome = { got: (await container.call('run', params)) ?? null }
  } catch (error) {
    outcome = { code: error.code, message: error.message, end: error.end?.kind }
  }
  await sbx?.teardown()
  return { ...outcome, violations, walls: sbx?.isolation.walls?.files }
}

const programs = JSON.parse(process.argv[2])
const outcomes = []
const atOnce = 3
let next = 0
const worker = async () => {
  while (next < programs.length) {
    const index = next++
    outcomes[index] = await run(programs[index])
  }
}
await Promise.all(Array.from({ length: atOnce }, worker))
console.log(JSON.stringify(outcomes))
