import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { GuestEnd, Violation } from '@confine-sandbox/contract'
import type { Sandbox } from './sandbox.ts'

/**
 * What a sandbox tells on `node:diagnostics_channel`. The first three are tracing channels, whose context gains `result` or
 * `error`: `tracingChannel('confine-sandbox:call').subscribe({ start, asyncEnd, error, … })`. The others are plain. Nothing is
 * made for a channel that nobody listens to.
 */
export interface DiagnosticsMessages {
  /** From the spawn until the guest is locked and ready. */
  'confine-sandbox:launch': { readonly sandbox: Sandbox }
  /** A program, until it has loaded. `result` is its Container. */
  'confine-sandbox:exec': { readonly sandbox: Sandbox }
  /** A call into the guest. `result` is what it returned: the guest's word. */
  'confine-sandbox:call': { readonly sandbox: Sandbox; readonly cid: number; readonly method: string }
  /** A forbidden act. */
  'confine-sandbox:violation': { readonly sandbox: Sandbox; readonly violation: Violation }
  /** The guest process is gone. */
  'confine-sandbox:end': { readonly sandbox: Sandbox; readonly end: GuestEnd }
}

type Traced = 'launch' | 'exec' | 'call'
type Plain = 'violation' | 'end'

/** Whether somebody listens. */
export function isObserved(name: Traced): boolean {
  return tracingChannels[name].hasSubscribers
}

/** Does something, and tells those who listen when it began, how it went, and when it was through. */
export function observed<T, Name extends Traced>(
  name: Name,
  context: () => DiagnosticsMessages[`confine-sandbox:${Name}`],
  act: () => Promise<T>,
): Promise<T> {
  return isObserved(name) ? tracingChannels[name].tracePromise(act, context()) : act()
}

/** Tells those who listen. What a listener throws surfaces as an uncaught exception, as Node has it. */
export function publish<Name extends Plain>(name: Name, message: () => DiagnosticsMessages[`confine-sandbox:${Name}`]): void {
  const one = channels[name]
  if (one.hasSubscribers) one.publish(message())
}

const tracingChannels = Object.freeze({
  launch: tracingChannel<string, object>('confine-sandbox:launch'),
  exec: tracingChannel<string, object>('confine-sandbox:exec'),
  call: tracingChannel<string, object>('confine-sandbox:call'),
})

const channels = Object.freeze({
  violation: channel('confine-sandbox:violation'),
  end: channel('confine-sandbox:end'),
})
