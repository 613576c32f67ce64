import type { IsolationBackend } from '@confine-sandbox/contract'
import type { TestFramework } from '../suite.ts'
import { testAttacked } from './attacked.ts'
import { testOnPaper } from './on-paper.ts'
import type { IsolationSubject } from './subject.ts'

/**
 * Registers the tests that every isolation backend must pass: what it says of a policy, what it makes of a command, how it
 * reads its reports, and with `createSandbox` that no attack gets through which works without isolation.
 * @param framework `{ describe, it }` of vitest or node:test.
 */
export function testIsolation(backend: IsolationBackend, subject: IsolationSubject, framework: TestFramework): void {
  const { describe } = framework
  describe(`the isolation backend ${backend.name}`, () => {
    describe('on paper, it', () => testOnPaper(backend, subject, framework))
    const { createSandbox } = subject
    if (createSandbox !== undefined) describe('attacked by', () => testAttacked(subject, createSandbox, framework))
  })
}
