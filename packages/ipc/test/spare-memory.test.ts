import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SpareMemory } from '../src/spare-memory.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('what was given back is given out again, once, and to who needs about as much', () => {
  const spare = new SpareMemory()
  const first = spare.take(400_000)
  spare.giveBack(first)
  expect(spare.take(500_000).buffer).not.toBe(first.buffer)
  expect(spare.take(90_000).buffer).not.toBe(first.buffer)
  const second = spare.take(300_000)
  expect([second.length, second.buffer]).toEqual([300_000, first.buffer])
  expect(spare.take(300_000).buffer).not.toBe(first.buffer)
  // All of it, though only a part was used.
  spare.giveBack(second)
  expect(spare.take(400_000).buffer).toBe(first.buffer)
})

test('it is kept while it is used, and not for long afterwards; too much of it is not kept', () => {
  const spare = new SpareMemory()
  const memory = spare.take(200_000)
  for (let i = 0; i < 10; i++) {
    spare.giveBack(memory)
    vi.advanceTimersByTime(400)
    expect(spare.take(200_000).buffer).toBe(memory.buffer)
  }
  spare.giveBack(memory)
  vi.advanceTimersByTime(1100)
  expect(spare.take(200_000).buffer).not.toBe(memory.buffer)
  expect(vi.getTimerCount()).toBe(0)
  const large = spare.take(17 * 1024 * 1024)
  spare.giveBack(large)
  expect(spare.take(17 * 1024 * 1024).buffer).not.toBe(large.buffer)
})
