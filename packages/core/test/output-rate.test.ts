import { expect, test } from 'vitest'
import { OutputRate } from '../src/output-rate.ts'
import { sandbox } from './support.ts'

test('a second’s worth comes at once, and then as much as is refilled', () => {
  let now = 0
  const rate = new OutputRate(1000, () => now)
  expect(rate.take(600)).toBe(0)
  expect(rate.take(400)).toBe(0)
  expect(rate.take(250)).toBe(250)
  now += 250
  expect(rate.take(100)).toBe(100)
  now += 60_000
  expect(rate.take(1000)).toBe(0)
  expect(rate.take(1)).toBe(1)
})

test('a guest that floods its output is read no faster, and nothing of it is lost', async () => {
  let bytes = 0
  const sbx = sandbox({ limits: { outputMiBPerSecond: 1 } })
  sbx.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const container = await sbx.execContainer({
    source: `exports.flood = async () => {
      for (let i = 0; i < 48; i++) await new Promise((resolve) => process.stdout.write('x'.repeat(32 * 1024), resolve))
    }`,
  })
  await container.call('flood')
  await expect.poll(() => bytes).toBe(48 * 32 * 1024)
})
