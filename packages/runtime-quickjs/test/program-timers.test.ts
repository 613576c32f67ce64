import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ProgramTimers } from '../src/program-timers.ts'

test('fire once, in the next turn where nothing is to be waited for, and not when they are stopped', async () => {
  const fired: number[] = []
  const timers = new ProgramTimers((id) => fired.push(id))
  for (const id of [1, 2, 3]) timers.start(id, 0)
  timers.start(4, 1)
  timers.start(5, 1)
  timers.start(3, 1)
  timers.stop(2)
  timers.stop(5)
  timers.stop(99)
  await turn()
  expect(fired).toEqual([1])
  await sleep(5)
  expect(fired.toSorted()).toEqual([1, 3, 4])
})

test('fire no more behind the end, whatever their number and their time', async () => {
  const fired: number[] = []
  const timers = new ProgramTimers((id) => fired.push(id))
  for (const delay of [0, 1, -5, Number.NaN]) timers.start(delay, delay)
  timers.close()
  await sleep(5)
  expect(fired).toEqual([])
})
