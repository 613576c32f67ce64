import ivm from 'isolated-vm'
import { describe, expect, test } from 'vitest'
import { copyable } from '../src/copyable.ts'

/** There and back by way of isolated-vm. */
const travel = (value: unknown): any => new ivm.ExternalCopy(copyable(value)).copy()

test('a value without errors is itself', () => {
  for (const value of [undefined, null, 5, 'x', [], {}, [{ a: new Map([[1, new Set([2])]]) }], new Uint8Array(3), new Date()])
    expect(copyable(value)).toBe(value)
})

describe('errors', () => {
  test('everywhere in a value can be copied', () => {
    const made = () => new RangeError('made', { cause: new TypeError('below') })
    const copied = travel({
      list: Object.assign([1], { 2: made() }),
      map: new Map([
        ['k', made()],
        [made(), 'v'],
      ] as never),
      set: new Set([made()]),
      date: new Date(5),
      bytes: new Uint8Array(2),
      deep: { deeper: made() },
    })
    for (const error of [copied.list[2], copied.map.get('k'), [...copied.map.keys()][1], [...copied.set][0], copied.deep.deeper]) {
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({ message: 'made', cause: { message: 'below' }, stack: 'RangeError: made' })
    }
    expect(1 in copied.list).toBe(false)
    expect(copied.date).toEqual(new Date(5))
    expect(copied.bytes).toEqual(new Uint8Array(2))
  })

  test('in circles', () => {
    const circle: Record<string, unknown> = { error: new Error('x') }
    circle.self = circle
    ;(circle.error as Error).cause = circle
    const copied = travel(circle)
    expect(copied.self).toBe(copied)
    expect(copied.error.cause).toBe(copied)
  })

  test('with dangerous names', () => {
    const copied = travel([JSON.parse('{"__proto__":{"polluted":1}}'), new Error('x')])
    expect(Object.hasOwn(copied[0], '__proto__')).toBe(true)
    expect(copied[0].polluted).toBeUndefined()
  })
})
