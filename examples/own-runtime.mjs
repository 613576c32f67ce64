// A runtime by its path: template-runtime/ runs texts with {{names}}, several in one guest process.
import { fileURLToPath } from 'node:url'
import { Sandbox } from 'confine-sandbox'

await using sbx = new Sandbox({
  runtime: fileURLToPath(new URL('template-runtime', import.meta.url)),
  globals: { lookUp: (name) => ({ today: 'Monday' })[name] },
})
const letter = await sbx.execContainer({ source: 'Dear {{name}}, it is {{today}}.' })
const label = await sbx.execContainer({ source: 'to {{name}}' })

console.log(await letter.call('names'))
console.log(await letter.call('render', [{ name: 'Ada' }]))
console.log(await label.call('render', [{ name: 'Ben' }]))
console.log(sbx.isolation.isLocked)
