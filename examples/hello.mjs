// The shortest program: a function that runs confined.
import { Sandbox } from 'confine-sandbox'

await using sbx = new Sandbox({ runtime: 'jseval-confine-runtime' })
const container = await sbx.execContainer({ source: 'exports.hello = (name) => `hello ${name}`' })

console.log(await container.call('hello', ['guest']))
