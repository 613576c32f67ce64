import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Sandbox, SandboxPool } from '../src/index.ts'

const runtimes = ['jseval-confine-runtime', 'jsisolate-confine-runtime'] as const
// What a program can see of those that ran before it in its process.
const source = `exports.look = () => [Reflect.ownKeys(globalThis).map(String).sort(), typeof group, typeof value]
exports.add = (a, b) => a + b`

test.each(runtimes)('a claim takes a confined guest of %s in which nothing is left of what warmed it up', async (runtime) => {
  const pool = new SandboxPool({ runtime, min: 1, max: 2 })
  onTestFinished(() => pool.close())
  await vi.waitUntil(() => pool.stats.warm === 1, { timeout: 60_000 })
  await using claimed = await pool.claim()
  await using made = new Sandbox({ runtime })
  expect(claimed).toBeInstanceOf(Sandbox)
  expect(claimed.isolation.isLocked).toBe(true)
  const [warm, cold] = await Promise.all([claimed.execContainer({ source }), made.execContainer({ source })])
  expect(await warm.call('look')).toEqual(await cold.call('look'))
  expect(await warm.call('add', [1, 2])).toBe(3)
  expect(claimed.isolation).toEqual(made.isolation)
})

test('a violation ends the guest of one claim and nobody else', async () => {
  await using pool = new SandboxPool({ runtime: 'jseval-confine-runtime', min: 1, max: 2 })
  const [bad, good] = await Promise.all([pool.claim(), pool.claim()])
  const thief = await bad.execContainer({ source: "exports.steal = () => require('node:fs').readFileSync('/etc/passwd')" })
  await expect(thief.call('steal')).rejects.toMatchObject({ code: 'ERR_CONFINE_GUEST_ENDED' })
  expect(await (await good.execContainer({ source })).call('add', [1, 2])).toBe(3)
  expect(await (await (await pool.claim()).execContainer({ source })).call('add', [2, 2])).toBe(4)
})

test('warm guests do not keep their host alive', async () => {
  const index = new URL('../src/index.ts', import.meta.url).href
  const program = `import { SandboxPool } from ${JSON.stringify(index)}
  const pool = new SandboxPool({ runtime: 'jseval-confine-runtime', min: 1 })
  const sandbox = await pool.claim()
  const container = await sandbox.execContainer({ source: 'exports.add = (a, b) => a + b' })
  process.stdout.write(String(await container.call('add', [1, 2])))
  await sandbox.teardown()`
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@confine/source', '--input-type=module', '-e', program])
  expect(stdout).toBe('3')
})
