import { type MeterProvider, metrics, trace, type TracerProvider } from '@opentelemetry/api'
import { countEverything } from './metrics.ts'
import { traceEverything } from './spans.ts'

/** Options of `instrument()`. */
export interface InstrumentOptions {
  /** Where spans go. @default the one that is registered globally */
  readonly tracerProvider?: TracerProvider
  /** Where measurements go. @default the one that is registered globally */
  readonly meterProvider?: MeterProvider
}

/**
 * Tells OpenTelemetry what all sandboxes and pools of this process do: spans for launch, exec and call, metrics for guests, calls,
 * ends, violations and pools. Nothing of what a guest says is recorded: no message, no value, no path.
 * @returns what stops it.
 */
export function instrument({ tracerProvider, meterProvider }: InstrumentOptions = {}): () => void {
  const stops = [
    traceEverything((tracerProvider ?? trace.getTracerProvider()).getTracer(scope)),
    countEverything((meterProvider ?? metrics.getMeterProvider()).getMeter(scope)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

const scope = 'confine-sandbox'
