import { expect, test, vi } from 'vitest'
import { CpuBudget } from '../src/cpu-budget.ts'
import { slowness } from '../src/slowness.ts'

test('the first look starts the clock, the second one reads it', () => {
  // The clock of CPU time is coarse: less than nothing is used up whatever it says.
  const none = new CpuBudget(-1)
  expect(none.isSpent()).toBe(false)
  expect(none.isSpent()).toBe(true)
  const large = new CpuBudget(1e9)
  for (let i = 0; i < 10; i++) expect(large.spend(1000)).toBe(false)
})

test('the clock is not looked at for every step', () => {
  const none = new CpuBudget(-1)
  none.isSpent()
  let steps = 1
  while (!none.spend(1)) steps++
  expect(steps).toBeGreaterThan(100)
})

test('a slow machine has more time, and is asked once how slow it is', () => {
  const asked = vi.fn(() => Number.POSITIVE_INFINITY)
  const patient = new CpuBudget(Number.MIN_VALUE, asked)
  patient.isSpent()
  // The clock of CPU time may stand still for some milliseconds.
  for (const start = process.threadCpuUsage(); process.threadCpuUsage(start).user === 0; );
  for (let i = 0; i < 10; i++) expect(patient.isSpent()).toBe(false)
  expect(asked).toHaveBeenCalledTimes(1)
})

test('a budget without an end asks for no time', () => {
  const endless = new CpuBudget(Number.POSITIVE_INFINITY, () => expect.unreachable())
  for (let i = 0; i < 10; i++) expect(endless.spend(1000)).toBe(false)
})

test('a machine is as slow as the common one, or slower, within bounds', () => {
  expect(slowness()).toBeGreaterThanOrEqual(1)
  expect(slowness()).toBeLessThanOrEqual(16)
})
