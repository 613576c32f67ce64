import { Sandbox } from 'confine-sandbox'

const sbx = new Sandbox({
  runtime: 'jseval-confine-runtime',
  strace: false,
  logSpawn: false,
  noSandbox: false,
  pipeStdout: false,
  pipeStderr: false,
  globals: {
    // functions injected into the global context
  },
})
const { cid } = await sbx.execContainer({
  source: 'module.exports.addOne = (num) => num + 1',
  sourcePath: '/path/to/source/file.js',
})
await sbx.configContainer({
  cid,
  opts: {
    // ...
  },
})
const res = await sbx.handleAPICall(cid, 'addOne', [5]) // => 6

console.log(res)
await sbx.teardown()
