import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Alarm } from '../../src/alarm.ts'
import { timers } from '../../src/inside/timers.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** The outside as the runtime does it. */
function make() {
  let arms = 0
  const alarm = new Alarm(() => made.tick())
  const made = timers(
    (delayMs) => {
      arms++
      alarm.set(delayMs)
    },
    { operation: 0 },
  )
  return { ...made.globals, tick: made.tick, arms: () => arms }
}

describe('timers', () => {
  test('fire in the order in which they are due', () => {
    const { setTimeout: set } = make()
    const fired: unknown[] = []
    for (const delay of [30, 10, 20, 10]) set((value: unknown) => fired.push(value), delay, delay)
    vi.advanceTimersByTime(15)
    expect(fired).toEqual([10, 10])
    vi.advanceTimersByTime(15)
    expect(fired).toEqual([10, 10, 20, 30])
  })

  test('fire so whatever is set and cleared', () => {
    const act = fc.oneof(fc.record({ delay: fc.integer({ min: 1, max: 8 }) }), fc.record({ clear: fc.nat(40) }))
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const { setTimeout: set, clearTimeout: clear } = make()
        const fired: number[] = []
        const ids: number[] = []
        const due = new Map<number, number>()
        for (const act of acts) {
          if ('delay' in act) {
            const number = ids.length
            ids.push(set(() => fired.push(number), act.delay))
            due.set(number, act.delay)
          } else {
            clear(ids[act.clear])
            due.delete(act.clear)
          }
        }
        vi.advanceTimersByTime(100)
        expect(fired).toEqual([...due].sort(([, a], [, b]) => a - b).map(([number]) => number))
      }),
    )
  })

  test('repeat until they are cleared', () => {
    const { setInterval: set, clearInterval: clear } = make()
    let count = 0
    const id = set(() => {
      if (++count === 3) clear(id)
    }, 10)
    vi.advanceTimersByTime(100)
    expect(count).toBe(3)
  })

  test('can be cleared, by anything', () => {
    const { setTimeout: set, clearTimeout: clear } = make()
    const callback = vi.fn()
    clear(set(callback, 1))
    for (const odd of [undefined, null, 'x', {}, 99]) clear(odd)
    vi.advanceTimersByTime(10)
    expect(callback).not.toHaveBeenCalled()
  })

  test.each([undefined, null, -5, Number.NaN, Infinity, 'x', 2 ** 31])('of %o ms fire at once', (delay) => {
    const { setTimeout: set } = make()
    const callback = vi.fn()
    set(callback, delay)
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
  })

  test('fire though another throws', () => {
    const queue = make()
    const callback = vi.fn()
    queue.setTimeout(() => {
      throw new Error('no')
    }, 1)
    queue.setTimeout(callback, 1)
    expect(() => vi.advanceTimersByTime(1)).toThrow('no')
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
  })

  test('take a function only', () => {
    expect(() => make().setTimeout('code')).toThrow(TypeError)
  })

  test('ask the outside seldom', () => {
    const queue = make()
    for (let index = 0; index < 1000; index++) queue.clearTimeout(queue.setTimeout(() => {}, 1000))
    expect(queue.arms()).toBeLessThan(10)
  })
})
