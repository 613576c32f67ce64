// Programs of somebody who has just installed the package, and what they print.
const body = `
  const sbx = new Sandbox({ runtime: RUNTIME, globals: { twice: (n) => n * 2 } })
  const container = await sbx.execContainer({ source: 'exports.run = async (n) => (await twice(n)) + 1' })
  console.log(await container.call('run', [5]), sbx.isolation.isLocked, errorCodes.length > 20)
  await sbx.teardown()`
const printed = '11 true true\n'
const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime']

export const consumers = runtimes.flatMap((runtime) => {
  const program = body.replace('RUNTIME', JSON.stringify(runtime))
  const short = runtime.split('-')[0]
  return [
    { file: `${short}.mjs`, text: `import { errorCodes, Sandbox } from 'confine-sandbox'\n${program}\n`, printed },
    {
      file: `${short}.cjs`,
      text: `const { errorCodes, Sandbox } = require('confine-sandbox')\n;(async () => {${program}\n})()\n`,
      printed,
    },
    {
      file: `${short}.mts`,
      text: `import { errorCodes, Sandbox, type SandboxConstructorOpts } from 'confine-sandbox'\nconst none: Partial<SandboxConstructorOpts> = {}\nvoid none\n${program}\n`,
      printed,
    },
  ]
})
