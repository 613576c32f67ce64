import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ClosingDeadlines, closeTimeoutMs } from '../src/closing-deadlines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function deadlines() {
  const overdue: number[] = []
  return { overdue, closing: new ClosingDeadlines((cid) => overdue.push(cid)) }
}

test('a container that is not closed in time is told, once', () => {
  const { overdue, closing } = deadlines()
  closing.begin(7)
  vi.advanceTimersByTime(closeTimeoutMs - 1)
  expect(overdue).toEqual([])
  vi.advanceTimersByTime(2 * closeTimeoutMs)
  expect(overdue).toEqual([7])
})

test('each of a crowd has its time from when those before it were closed', () => {
  const { overdue, closing } = deadlines()
  const ends = [1, 2, 3, 4].map((cid) => closing.begin(cid))
  for (const end of ends) {
    vi.advanceTimersByTime(closeTimeoutMs - 1)
    end()
  }
  vi.advanceTimersByTime(2 * closeTimeoutMs)
  expect(overdue).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('one that stays is not helped by those that come after it', () => {
  const { overdue, closing } = deadlines()
  closing.begin(1)
  for (let cid = 2; cid < 12; cid++) {
    const end = closing.begin(cid)
    vi.advanceTimersByTime(closeTimeoutMs / 10 + 1)
    end()
  }
  expect(overdue).toEqual([1])
})

test('an answer that has come while this process was busy counts', () => {
  const { overdue, closing } = deadlines()
  const end = closing.begin(1)
  // Timers are due before what has come is read.
  setTimeout(() => setImmediate(end), closeTimeoutMs - 1)
  vi.advanceTimersByTime(2 * closeTimeoutMs)
  expect(overdue).toEqual([])
})
