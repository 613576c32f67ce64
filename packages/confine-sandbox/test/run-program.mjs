// Makes a sandbox of JSON options, loads a program, calls its `run` and prints how it went: a process of its own, so that
// it can be started as another user. The program can ask the host for what `actions` name.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { Sandbox } from 'confine-sandbox'

const { options, source, params } = JSON.parse(process.argv[2])
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
console.log(JSON.stringify({ ...outcome, violations, walls: sbx?.isolation.walls?.files }))
