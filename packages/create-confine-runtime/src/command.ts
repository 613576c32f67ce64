#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { createRuntime } from './create-runtime.ts'

const usage = `npm create confine-runtime <directory>

Starts a package with a runtime for confine-sandbox: the class, its types, a README,
and the tests of @confine-sandbox/conformance, which it passes. The last part of the
directory becomes the name of the package; --name <name> gives it another.
`

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, name: { type: 'string' } },
  })
  const [directory, ...more] = positionals
  if (values.help === true) console.log(usage)
  else if (directory === undefined || more.length > 0) throw new Error(`Name one directory.\n\n${usage}`)
  else {
    const created = createRuntime({ directory, ...(values.name === undefined ? {} : { name: values.name }) })
    console.log(
      `${created.name} is in ${created.directory}:\n${created.files.map((file) => `  ${file}\n`).join('')}\nNext: cd ${directory} && npm install && npm test`,
    )
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
