import type { EventEmitter } from 'node:events'
import type { ConfineError, GuestEnd, Violation } from '@confine-sandbox/contract'
import type { ConsoleEvent } from './console-events.ts'
import type { ContainerClosed } from './container.ts'
import type { HostFunctionFailure } from './host-functions.ts'

/** The events of a Sandbox and the arguments of their listeners. */
export interface SandboxEvents {
  /** A container closed: with its exit code (0 when the host closed it), or with what ended it. */
  'container-closed': [ContainerClosed]
  /** A container failed: its source did not load, it threw where nobody waited, or its process ended under it. */
  'container-runtime-error': [{ readonly cid: number; readonly error: ConfineError }]
  /** A function among the globals threw, or gave what its schema refuses. The guest is told name, message and code; here is all of it. */
  'host-function-error': [HostFunctionFailure]
  /** The guest did what the policy forbids. */
  violation: [Violation]
  /** It did so too often: that many more violations are told by their number alone. Comes at most ten times a second. */
  'violations-dropped': [{ readonly count: number }]
  /** A program logged something with its `console`. The guest tells it only while somebody listens. */
  console: [ConsoleEvent]
  /** Programs logged that many times more than is told: above 4,096 lines at once and 1,024 a second. Comes at most ten times a second. */
  'console-dropped': [{ readonly count: number }]
  /** The guest process is gone. */
  'guest-ended': [GuestEnd]
}

/** Emits an event. An error of a listener is its author's: it surfaces as an uncaught exception, and stops nothing here. */
export function tell<Event extends keyof SandboxEvents>(
  sandbox: EventEmitter<SandboxEvents>,
  event: Event,
  ...args: SandboxEvents[Event]
): void {
  try {
    // The arguments fit the event; EventEmitter's types do not see that of a type parameter.
    ;(sandbox as EventEmitter).emit(event, ...args)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
