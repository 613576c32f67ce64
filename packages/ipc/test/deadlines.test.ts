import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadlines, Timed } from '../src/deadlines.ts'

let over: string[] = []

class Named extends Timed {
  readonly #name: string

  constructor(name: string) {
    super()
    this.#name = name
  }

  override overdue(): void {
    over.push(this.#name)
  }
}

beforeEach(() => {
  over = []
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

test('each ends when its own time is over, and one timer waits for all of one length', () => {
  const deadlines = new Deadlines()
  deadlines.add(new Named('a'), 100)
  vi.advanceTimersByTime(40)
  deadlines.add(new Named('b'), 100)
  deadlines.add(new Named('c'), 30)
  expect(vi.getTimerCount()).toBe(2)
  vi.advanceTimersByTime(29)
  expect(over).toEqual([])
  vi.advanceTimersByTime(2)
  expect(over).toEqual(['c'])
  vi.advanceTimersByTime(30)
  expect(over).toEqual(['c', 'a'])
  vi.advanceTimersByTime(40)
  expect(over).toEqual(['c', 'a', 'b'])
  expect(vi.getTimerCount()).toBe(0)
})

test('what was removed does not end, and whoever waits behind it does', () => {
  const deadlines = new Deadlines()
  const all = ['a', 'b', 'c', 'd'].map((name) => new Named(name))
  for (const timed of all) {
    deadlines.add(timed, 100)
    vi.advanceTimersByTime(10)
  }
  for (const index of [0, 2]) deadlines.remove(all[index] as Named)
  deadlines.remove(all[0] as Named)
  vi.advanceTimersByTime(69)
  expect(over).toEqual([])
  vi.advanceTimersByTime(2)
  expect(over).toEqual(['b'])
  vi.advanceTimersByTime(20)
  expect(over).toEqual(['b', 'd'])
})

test('a deadline whose end begins another one like it does not lose it', () => {
  const deadlines = new Deadlines()
  const first = new Named('first')
  first.overdue = () => deadlines.add(new Named('second'), 100)
  deadlines.add(first, 100)
  vi.advanceTimersByTime(101)
  expect(over).toEqual([])
  vi.advanceTimersByTime(100)
  expect(over).toEqual(['second'])
})

test('lengths of which there was one call each leave no timers', () => {
  const deadlines = new Deadlines()
  for (let length = 1000; length < 2000; length++) {
    const timed = new Named('none')
    deadlines.add(timed, length)
    deadlines.remove(timed)
  }
  expect(vi.getTimerCount()).toBeLessThan(10)
  deadlines.clear()
  expect(vi.getTimerCount()).toBe(0)
})

test('as many lengths as there are calls cost no more for each than a few', () => {
  const deadlines = new Deadlines()
  const all = Array.from({ length: 50_000 }, (_, index) => new Named(`${index}`))
  // Looked through at each, they would take minutes.
  for (const [index, timed] of all.entries()) deadlines.add(timed, 1000 + index)
  expect(vi.getTimerCount()).toBe(50_000)
  for (const timed of all) deadlines.remove(timed)
  deadlines.clear()
  expect(vi.getTimerCount()).toBe(0)
})
