import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import type { Meter } from '@opentelemetry/api'
import { codeOf, type ObservedSandbox } from './observed.ts'

type Listener = (message: any) => void

/** Counts and measures what sandboxes and pools tell. Attributes have few values: names that people chose, codes, kinds. */
export function countEverything(meter: Meter): () => void {
  const guests = meter.createUpDownCounter('confine.guests', { description: 'Guest processes that are ready' })
  const launches = meter.createHistogram('confine.launch.duration', { unit: 'ms', description: 'From the spawn to the lock' })
  const calls = meter.createHistogram('confine.call.duration', { unit: 'ms', description: 'Calls into guests' })
  const ends = meter.createCounter('confine.ends', { description: 'Guest processes that ended, by kind' })
  const violations = meter.createCounter('confine.violations', { description: 'Forbidden acts, by system call' })
  const pool = meter.createCounter('confine.pool.events', { description: 'What pools did' })
  const waits = meter.createHistogram('confine.pool.wait', { unit: 'ms', description: 'How long a claim waited' })
  const counted = new WeakSet<object>()

  const stops = [
    timed('launch', launches, (sandbox) => {
      counted.add(sandbox)
      guests.add(1, { 'confine.runtime': sandbox.opts.runtime.name })
    }),
    timed('call', calls),
    listen('confine-sandbox:end', ({ sandbox, end }) => {
      ends.add(1, { 'confine.end': end.kind, 'confine.runtime': sandbox.opts.runtime.name })
      if (counted.delete(sandbox)) guests.add(-1, { 'confine.runtime': sandbox.opts.runtime.name })
    }),
    listen('confine-sandbox:violation', ({ violation }) =>
      violations.add(1, { 'confine.syscall': nameOf(violation.syscall), 'confine.action': violation.action }),
    ),
    ...poolEvents.map((event) => listen(`confine-sandbox:pool:${event}`, () => pool.add(1, { 'confine.pool.event': event }))),
    listen('confine-sandbox:pool:claimed', ({ waitMs }) => waits.record(waitMs)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** A guest can make calls of any number: each without a name would be a time series of its own. */
function nameOf(syscall: string): string {
  return /^syscall-\d+$/.test(syscall) ? 'unnamed' : syscall
}

const poolEvents = ['launched', 'launch-failed', 'claimed', 'refused', 'kept', 'ended'] as const

function listen(name: string, listener: Listener): () => void {
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}

/** Measures what a tracing channel spans, by outcome. */
function timed(
  name: 'launch' | 'call',
  histogram: ReturnType<Meter['createHistogram']>,
  succeeded: (sandbox: ObservedSandbox) => void = () => {},
): () => void {
  const starts = new WeakMap<object, number>()
  const one = tracingChannel<string, object>(`confine-sandbox:${name}`)
  const subscribers = {
    start: (message: object) => void starts.set(message, performance.now()),
    end() {},
    asyncStart: (message: object) => {
      const start = starts.get(message)
      if (start === undefined) return
      starts.delete(message)
      const { sandbox, error } = message as { sandbox: ObservedSandbox; error?: unknown }
      const outcome = error === undefined ? 'ok' : codeOf(error)
      histogram.record(performance.now() - start, { 'confine.runtime': sandbox.opts.runtime.name, 'confine.outcome': outcome })
      if (error === undefined) succeeded(sandbox)
    },
    asyncEnd() {},
    error() {},
  }
  one.subscribe(subscribers)
  return () => void one.unsubscribe(subscribers)
}
