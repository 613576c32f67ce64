import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// isolated-vm asks for --no-node-snapshot, which costs more than all else that a start does. Without it, V8 would have to
// keep apart the snapshot of Node and its own. This is what was tried before the flag was left out.
test('isolates live and end as they should, without --no-node-snapshot', async () => {
  const count = 2000
  const { stdout } = await promisify(execFile)(process.execPath, [program, runtime, String(count)], { env: {} })
  expect(Number(stdout)).toBe(count)
})

const program = fileURLToPath(new URL('isolates.mjs', import.meta.url))
const runtime = fileURLToPath(new URL('../../packages/runtime-jsisolate/dist/index.cjs', import.meta.url))
