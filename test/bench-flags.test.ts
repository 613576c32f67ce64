import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from './packages.ts'

const bench = (...args: string[]) => promisify(execFile)(process.execPath, [join(root, 'bench/run.mjs'), ...args])

test('the benchmarks tell how they are used', async () => {
  expect((await bench('--help')).stdout).toContain('--only=<a,b>')
})

test.each([
  ['--halp', "Unknown option '--halp'"],
  ['--only=cals', 'There is no suite "cals"; there are start, '],
])('%s is answered by what is wrong and a usage text, and nothing is measured', async (flag, wrong) => {
  await expect(bench(flag)).rejects.toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining(wrong) })
})
