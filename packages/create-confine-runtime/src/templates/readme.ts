import type { TemplateFacts } from '../create-runtime.ts'

/** The README of a new runtime. */
export function readme({ packageName, className }: TemplateFacts): string {
  return `# ${packageName}

Guest side: it is loaded in the guest process; the host reads its package.json only. A runtime for
[confine-sandbox](https://www.npmjs.com/package/confine-sandbox) that runs programs in a small language of stacks:

\`\`\`js
import { Sandbox } from 'confine-sandbox'

const sbx = new Sandbox({ runtime: '${packageName}' })
const container = await sbx.execContainer({ source: 'addOne: 1 +' })
console.log(await container.call('addOne', [5])) // => 6
await sbx.teardown()
\`\`\`

## Make it yours

- \`index.js\`: replace the language in \`parse\` and \`${className}#execute\`; what is around them is what every runtime does. Types stand in \`index.d.ts\`.
- \`test/conformance.test.js\`: write the programs in your language. \`npm test\` runs the suite that all runtimes pass, in this process and confined.
- \`package.json\`, field \`confine\`: what the host must know before it starts a guest: \`maxContainers\` per process, \`threads\`, \`nodeFlags\`.

A guest process is locked before the program is sent: from then on no file can be opened. Read what you need when the module is loaded, or in a
\`static prepare()\`.
`
}
