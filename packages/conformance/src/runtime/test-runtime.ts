import assert from 'node:assert/strict'
import type { TestFramework } from '../suite.ts'
import { testCalls, testErrors, testLimits, user } from './calls.ts'
import { classOf, testDescriptor } from './descriptor.ts'
import { testLifeCycle } from './life-cycle.ts'
import { testSandboxed } from './sandboxed.ts'
import type { RuntimeSubject, RuntimeUnderTest } from './subject.ts'

/**
 * Registers the tests that every runtime must pass: its life, calls, names that must not be found, errors, limits, and
 * with `createSandbox` all of it in a confined guest process.
 * @param runtime The class, or a descriptor as `resolveRuntime()` makes it: then its entry is loaded and the descriptor is
 *   checked too.
 * @param framework `{ describe, it }` of vitest or node:test.
 */
export function testRuntime(runtime: RuntimeUnderTest, subject: RuntimeSubject, framework: TestFramework): void {
  const { describe, it } = framework
  const name = typeof runtime === 'function' ? runtime.name : runtime.name
  describe(`the runtime ${name}`, () => {
    if (typeof runtime !== 'function') describe('its descriptor', () => testDescriptor(runtime, framework))
    const Runtime = loaded(runtime)
    if (Runtime instanceof Error) {
      it('can be loaded', () => assert.fail(Runtime.message))
      return
    }
    const use = user(Runtime, subject)
    describe('its life', () => testLifeCycle(use, subject, framework))
    describe('its calls', () => testCalls(use, subject, framework))
    describe('its errors', () => testErrors(use, subject, framework))
    // A group without tests is a fault to vitest.
    if (subject.limits !== undefined) describe('its own limits', () => testLimits(use, subject, framework))
    const { createSandbox } = subject
    if (createSandbox !== undefined) describe('in a sandbox, it', () => testSandboxed(subject, createSandbox, framework))
  })
}

/** A runtime that cannot be loaded is one failed test, not a suite that nobody sees. */
function loaded(runtime: RuntimeUnderTest): ReturnType<typeof classOf> | Error {
  try {
    return classOf(runtime)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
