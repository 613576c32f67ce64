import { expect, test } from 'vitest'
import { CpuBudget } from '../src/cpu-budget.ts'

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
