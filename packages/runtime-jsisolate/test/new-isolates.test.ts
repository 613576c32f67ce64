import { expect, test } from 'vitest'
import { NewIsolates } from '../src/new-isolates.ts'
import { train } from '../src/training.ts'

/** Whether isolates still have the code once one was made. */
function isTaken(code: Uint8Array): boolean {
  const isolates = new NewIsolates()
  isolates.know(code)
  isolates.make(8).isolate.dispose()
  return isolates.isTrained
}

test('what was learned is taken elsewhere, as the bytes that it is', () => {
  const isolates = new NewIsolates()
  expect(isolates.isTrained).toBe(false)
  train(isolates)
  expect(isolates.isTrained).toBe(true)
  expect(isolates.code.length).toBeGreaterThan(10_000)
  expect(isTaken(isolates.code)).toBe(true)
})

test.each([
  ['nothing', 0],
  ['garbage', 50_000],
])('code that is %s is refused and forgotten', (_what, length) => {
  expect(isTaken(Buffer.alloc(length, 'garbage'))).toBe(false)
})
