import type { IsolationTier, Walls } from '@confine-sandbox/contract'

/** What confines a sandbox's guest. */
export interface IsolationReport {
  /** The backend's name; `none` with `noSandbox: true`. */
  readonly backend: string
  /** The layers in force, as the supervisor reported them. Empty before the launch and without isolation. */
  readonly layers: readonly string[]
  /** The layers that hold each part of the policy, each by itself. Undefined where `layers` is empty. */
  readonly walls?: Walls
  /** How strong this launch came out, and why not stronger. Undefined where the backend has one way only. */
  readonly tier?: IsolationTier
  /** Whether untrusted source may run: the guest is locked, or needs no lock. */
  readonly isLocked: boolean
}
