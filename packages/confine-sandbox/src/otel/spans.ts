import { tracingChannel } from 'node:diagnostics_channel'
import { type Attributes, type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { codeOf, type ObservedSandbox } from './observed.ts'

/** What a tracing channel of a sandbox passes from its start to its end. */
interface Observed {
  readonly sandbox: ObservedSandbox
  readonly cid?: number
  readonly method?: string
  readonly result?: { readonly cid?: unknown } | null
  readonly error?: unknown
}

/** Makes a span of each launch, exec and call, below whatever span is active where it begins. */
export function traceEverything(tracer: Tracer): () => void {
  const stops = operations.map((name) => {
    const spans = new WeakMap<Observed, Span>()
    const one = tracingChannel<string, object>(`confine-sandbox:${name}`)
    const ended = (message: Observed) => {
      const span = spans.get(message)
      if (span === undefined) return
      spans.delete(message)
      finish(span, name, message)
    }
    const subscribers = {
      start: (message: object) =>
        void spans.set(message as Observed, tracer.startSpan(`confine.${name}`, { attributes: atStart(message as Observed) })),
      end() {},
      asyncStart: (message: object) => ended(message as Observed),
      asyncEnd() {},
      error() {},
    }
    one.subscribe(subscribers)
    return () => one.unsubscribe(subscribers)
  })
  return () => {
    for (const stop of stops) stop()
  }
}

const operations = ['launch', 'exec', 'call'] as const

function atStart({ sandbox, cid, method }: Observed): Attributes {
  return {
    'confine.runtime': sandbox.opts.runtime.name,
    ...(cid === undefined ? {} : { 'confine.cid': cid }),
    ...(method === undefined ? {} : { 'confine.method': method.slice(0, 200) }),
  }
}

function finish(span: Span, name: string, { sandbox, result, error }: Observed): void {
  if (name === 'launch') {
    const { backend, tier } = sandbox.isolation
    span.setAttributes({ 'confine.backend': backend, ...(tier === undefined ? {} : { 'confine.tier': tier.name }) })
  }
  // Of an exec the result is our Container; of a call it is the guest's word, which stays out.
  if (name === 'exec' && typeof result?.cid === 'number') span.setAttribute('confine.cid', result.cid)
  if (error !== undefined) {
    // The code is ours; a message may be the guest's.
    const code = codeOf(error)
    span.setAttribute('error.type', code)
    span.setStatus({ code: SpanStatusCode.ERROR, message: code })
  }
  span.end()
}
