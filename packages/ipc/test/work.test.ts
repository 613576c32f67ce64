import { ConfineError } from '@confine-sandbox/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultLimits } from '../src/limits.ts'
import { MessageCodec } from '../src/message.ts'
import type { MessageReferences } from '../src/reference.ts'
import { patternWork } from '../src/work.ts'

const count = 200_000

test.each<[string, () => unknown, string]>([
  ['keys that all differ', () => ({ list: [1, Object.fromEntries(range(count).map((i) => [`key ${i}`, i]))] }), 'result.list[1]'],
  ['objects that all differ', () => range(count).map((i) => ({ [`key ${i}`]: i })), 'result['],
  ['functions', () => ({ on: range(60_000).map(() => () => {}) }), 'result.on['],
  ['bigints', () => range(count).map((i) => 2n ** 100n + BigInt(i)), 'result'],
  ['errors', () => range(40_000).map(() => new RangeError('no')), 'result['],
  ['buffers', () => range(count).map(() => new Uint8Array(1)), 'result['],
  ['patterns with sets of characters', () => range(1000).map(() => /\p{L}/u), 'result['],
  ['entries', () => new Map(range(300_000).map((i) => [i, i])), 'result'],
])('%s that are too much for the receiver are refused by the sender, with their place', (_name, make, place) => {
  let thrown: unknown
  try {
    encode(defaultLimits.maxWork, make())
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({
    code: 'ERR_CONFINE_LIMIT',
    message: expect.stringMatching(/ reading this message is as much work as one may be/),
  })
  expect((thrown as Error).message.startsWith(place)).toBe(true)
})

test.each<[string, () => unknown]>([
  ['rows of five columns', () => range(100_000).map((id) => ({ id, name: `name ${id}`, active: true, score: id / 3, tags: null }))],
  ['rows of two kinds in turn', () => range(100_000).map((i) => (i % 2 === 0 ? { a: i, b: { c: 'x' } } : { c: i, a: [i] }))],
  ['a dictionary', () => Object.fromEntries(range(80_000).map((i) => [`key ${i}`, i]))],
  ['a million numbers', () => range(1_000_000)],
  ['a large text', () => 'x'.repeat(60_000_000)],
  ['bytes', () => new Uint8Array(60_000_000)],
])('not too much: %s', (_name, make) => {
  const bytes = encode(defaultLimits.maxWork, make())
  expect(decode(defaultLimits.maxWork, bytes)).toBeTypeOf('object')
})

test('the receiver counts the work of a message as its sender does, whatever that is', () => {
  const some = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true })
  const more = fc.constantFrom(
    new AggregateError([1], 'x', { cause: { a: 1 } }),
    /\p{L}a/gu,
    new Date(),
    Object('s'),
    () => 1,
    (async function* () {})(),
    2n ** 70n,
  )
  fc.assert(
    fc.property(some, more, fc.boolean(), (value, another, isWide) => {
      // Keys count once there were many.
      const wide = isWide ? Object.fromEntries(range(5010).map((i) => [`k${i}`, {}])) : undefined
      const whole = [wide, value, { another, list: [another, value] }, { another: 1, other: 2 }]
      let [least, most] = [0, 100_000]
      // The least that the sender takes for enough.
      while (most - least > 0.001) {
        const between = (least + most) / 2
        if (attempt(() => encode(between, whole)) instanceof Error) least = between
        else most = between
      }
      const bytes = encode(most, whole)
      expect(attempt(() => decode(most, bytes))).toMatchObject({ type: 'result' })
      expect(attempt(() => decode(least, bytes))).toMatchObject({ code: 'ERR_CONFINE_PROTOCOL' })
    }),
    { numRuns: 25 },
  )
})

test('what makes sets of characters is work, and only where it does', () => {
  expect(patternWork('\\p{L}', '')).toBeLessThan(10_000)
  expect(patternWork('\\p{L}\\P{L}', 'gu')).toBeGreaterThan(200_000)
  expect(patternWork('\\p{RGI_Emoji}', 'v')).toBeGreaterThan(1_000_000)
})

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}

function encode(maxWork: number, value: unknown): Uint8Array {
  return new MessageCodec({ ...defaultLimits, maxWork }, { errorStacks: true }).encode({ type: 'result', id: 1, value }, 1, references)
}

function decode(maxWork: number, bytes: Uint8Array): object {
  const limits = { ...defaultLimits, maxWork, maxDecodeMs: Number.POSITIVE_INFINITY }
  return new MessageCodec(limits, { errorStacks: true }).decode(bytes, references)
}

/** What it returns, or what of ours it throws. */
function attempt<T>(act: () => T): T | ConfineError {
  try {
    return act()
  } catch (error) {
    if (ConfineError.is(error)) return error
    throw error
  }
}

const reader = () => ({ made: [], callback: () => () => {}, stream: () => ({}) })
const references: MessageReferences = {
  writer: () => {
    let number = 0
    return { callback: () => ++number, stream: () => ++number, undo() {} }
  },
  reader,
  answerReader: reader,
  itemReader: reader,
  cidOfOwn: () => 1,
}
