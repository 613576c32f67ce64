import type { Command, OnViolation, Policy } from '@confine-sandbox/contract'
import type { Attack } from '../attack.ts'
import type { SandboxUnderTest } from '../sandbox-under-test.ts'

/** A backend's surroundings: what the suite needs to try it. */
export interface IsolationSubject {
  /** What is confined on paper. @default this node, with an empty program */
  readonly command?: Command
  /** How. @default defaultPolicy */
  readonly policy?: Policy
  /**
   * Makes a sandbox with this backend and a runtime that gives programs Node's modules:
   * `(options) => new Sandbox({ runtime: 'jseval-confine-runtime', isolation: backend, ...options })`. Given, the suite runs
   * the attacks in it.
   */
  readonly createSandbox?: (options: { readonly onViolation: OnViolation }) => SandboxUnderTest
  /** The attacks to run. @default all */
  readonly attacks?: readonly Attack[]
  /** The signal that ends a guest which breaks its policy, of a backend that reports violations. @default none is expected */
  readonly signal?: string
  /**
   * Puts a command where there is no network: the control of an attack that is aimed outside runs there, since nothing may
   * be sent. @default `unshare -n` on Linux; elsewhere these attacks have no control, and are left out.
   */
  readonly withoutNetwork?: (line: readonly [string, ...string[]]) => readonly [string, ...string[]]
  /** How long to wait for what comes at once when it comes at all, milliseconds. @default 20,000 */
  readonly patienceMs?: number
}
