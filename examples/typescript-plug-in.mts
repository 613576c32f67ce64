// A plug-in in TypeScript, called by its types: `container.api` has what the plug-in exports, each function asynchronous.
import { fileURLToPath } from 'node:url'
import { Sandbox } from 'confine-sandbox'
import type * as Greeter from './plug-ins/greeter.ts'
import type { Host } from './plug-ins/host-api.ts'

const host: Host = { word: async (language) => ({ en: 'hello', de: 'hallo' })[language] }

await using sbx = new Sandbox({ runtime: 'jsisolate-confine-runtime', globals: { host } })
const plugIn = await sbx.execContainer<typeof Greeter>({
  sourcePath: fileURLToPath(new URL('plug-ins/greeter.ts', import.meta.url)),
  timeoutMs: 5_000,
})

console.log(await plugIn.api.greet({ name: 'Ada', language: 'en' }))
console.log(
  await plugIn.api.count([
    { name: 'Ada', language: 'en' },
    { name: 'Ben', language: 'de' },
  ]),
)
// @ts-expect-error: the plug-in's types know two languages
await plugIn.api.greet({ name: 'Cleo', language: 'fr' }).then(console.log)
