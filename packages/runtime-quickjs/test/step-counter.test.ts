import { expect, test } from 'vitest'
import { createEngine } from '../src/engine.ts'
import { StepCounter } from '../src/step-counter.ts'

test('the number that the engine counts down is found, and can be set', async () => {
  const { context, memory } = await createEngine(8)
  const steps = new StepCounter(context, memory)
  expect(steps.isFound).toBe(true)
  let asked = 0
  context.runtime.setInterruptHandler(() => {
    asked++
    steps.asked()
    return false
  })
  steps.begin()
  context.unwrapResult(context.evalCode('for (let i = 0; i < 5000; i++);')).dispose()
  // By itself it would ask once at most.
  expect(asked).toBeGreaterThan(20)
})

test('another engine asks as it always did', async () => {
  const { context, memory } = await createEngine(8)
  const other = await createEngine(8)
  // Its numbers lie elsewhere.
  expect(new StepCounter(context, other.memory).isFound).toBe(false)
  const steps = new StepCounter(context, other.memory)
  steps.begin()
  expect(steps.asked()).toBe(true)
  context.unwrapResult(context.evalCode('for (let i = 0; i < 50; i++);')).dispose()
  expect(memory.buffer.byteLength).toBeGreaterThan(0)
})
