import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const directory = fileURLToPath(new URL('..', import.meta.url))
const example = readFileSync(`${directory}README.md`, 'utf8')
  .match(/```js\n[\s\S]*?```/g)!
  .find((block) => block.includes('new JsEvalConfineRuntime'))!
  .slice(6, -3)

test('the example of the README runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', example], { cwd: directory })
  expect(stdout).toBe("[ APIMethod { type: 'method', name: 'addOne' } ]\nlooked up 5\n6\nclosed 0\n")
})
