import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../packages.ts'
import { watchMachine } from './machine.ts'

// How late deadlines fire, in each situation that a guest can be in. The aim is 50 ms and a tenth; what is asserted leaves
// room, and leaves out what the machine was late itself meanwhile. The figures are printed.

const { Sandbox } = (await import(
  join(root, 'packages/confine-sandbox/dist/index.js')
)) as typeof import('../../packages/confine-sandbox/src/index.ts')

const timeoutMs = 200
const rounds = 3
const latestMs = 500

const situations = {
  loops: 'for (;;);',
  'awaits the host': 'return host.never()',
  'awaits nothing': 'return new Promise(() => {})',
  'floods microtasks': 'const again = () => Promise.resolve().then(again); again(); return new Promise(() => {})',
  'floods the host':
    'const again = () => { host.ping().then(again, again) }; for (let i = 0; i < 50; i++) again(); return new Promise(() => {})',
  'regular expression': 'return /^(a+)+$/.test("a".repeat(60) + "b")',
  'native code': 'const a = new BigUint64Array(2 ** 22); for (;;) a.map((_, i) => BigInt(i)).sort().join()',
} as const

const source = Object.values(situations)
  .map((body, index) => `exports.f${index} = () => { ${body} }`)
  .join('\n')
const globals = { host: { never: () => new Promise(() => {}), ping: async () => {} } }

test.each([
  ['jseval-confine-runtime', 1],
  ['jsisolate-confine-runtime', 2],
  ['jsisolate-confine-runtime', 1],
])('%s, %i in a process: deadlines fire, and the end follows', async (runtime, maxContainers) => {
  const machine = watchMachine()
  onTestFinished(() => void machine.stop())
  const lateness: Record<string, { call: string; end: string; machine: string }> = {}
  for (const [index, what] of Object.keys(situations).entries()) {
    const calls: number[] = []
    const ends: number[] = []
    const machines: number[] = []
    for (let round = 0; round < rounds; round++) {
      const sbx = new Sandbox({ runtime, maxContainers, globals, limits: { memoryMiB: 4096 } })
      const container = await sbx.execContainer({ source, ...(runtime.startsWith('jsisolate') && { memoryLimitMiB: 1024 }) })
      const bystander = maxContainers > 1 ? await sbx.execContainer({ source: 'exports.one = () => 1' }) : undefined
      machine.lateMs()
      const began = performance.now()
      const error: any = await container.call(`f${index}`, [], { timeoutMs }).catch((thrown) => thrown)
      calls.push(performance.now() - began - timeoutMs)
      expect(error, what).toMatchObject({ code: 'ERR_CONFINE_TIMEOUT', budget: 'call' })
      // The guest answers others again, or is gone.
      if (bystander === undefined) await sbx.whenGuestProcessClosed
      else expect(await bystander.call('one')).toBe(1)
      ends.push(performance.now() - began - timeoutMs)
      machines.push(machine.lateMs())
      await sbx.teardown()
    }
    const list = (values: number[]) => values.map((value) => value.toFixed(1)).join(' ')
    lateness[what] = { call: list(calls), end: list(ends), machine: list(machines) }
    for (const [round, late] of machines.entries()) {
      expect((calls[round] as number) - late, what).toBeLessThan(latestMs)
      expect((ends[round] as number) - late, what).toBeLessThan(2 * latestMs)
    }
  }
  console.log(`${runtime}, ${maxContainers} in a process: late by, ms (of ${timeoutMs})`)
  console.table(lateness)
})
