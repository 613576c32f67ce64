import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Alarm } from '../src/alarm.ts'

test('rings once for what was set last, and in the next turn for what is due', async () => {
  let count = 0
  const alarm = new Alarm(() => count++)
  alarm.set(0)
  alarm.set(1)
  await turn()
  alarm.set(0)
  alarm.set(-5)
  await turn()
  expect(count).toBe(1)
  await sleep(5)
  expect(count).toBe(1)
})

test('is silent when it is cleared', async () => {
  let count = 0
  const alarm = new Alarm(() => count++)
  for (const delayMs of [0, 1]) {
    alarm.set(delayMs)
    alarm.clear()
  }
  await sleep(5)
  expect(count).toBe(0)
})
