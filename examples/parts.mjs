// Picking the parts by hand: the core, one backend and one runtime, without the confine-sandbox package.
import { resolveRuntime, Sandbox } from '@confine-sandbox/core'
import { linux } from '@confine-sandbox/isolation-linux'

const sbx = new Sandbox({
  runtime: resolveRuntime('jseval-confine-runtime', import.meta.url),
  isolation: linux(),
})
const container = await sbx.execContainer({ source: 'exports.greet = (name) => `hello ${name}`' })

console.log(await container.call('greet', ['parts']))
await sbx.teardown()
