// A runtime by itself, in this process: no guest, no isolation by the operating system.
import JsIsolateConfineRuntime from 'jsisolate-confine-runtime'

const runtime = new JsIsolateConfineRuntime({
  source: 'exports.greet = async (name) => `hello ${name}, it is ${await today()}`',
  globals: { today: async () => 'a fine day' },
})
await runtime.init()
await runtime.run()

console.log(await runtime.handleAPICall('greet', ['runtime']))
await runtime.close()
