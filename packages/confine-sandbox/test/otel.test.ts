import { channel } from 'node:diagnostics_channel'
import type { Attributes, MeterProvider, Span, TracerProvider } from '@opentelemetry/api'
import { afterEach, expect, test } from 'vitest'
import { Sandbox, SandboxPool } from '../src/index.ts'
import { instrument } from '../src/otel/index.ts'

interface RecordedSpan {
  readonly name: string
  readonly attributes: Attributes
  status?: string | undefined
  isEnded: boolean
}

let stop: (() => void) | undefined
afterEach(() => stop?.())

/** Providers that write down what they are told. */
function recorder() {
  const spans: RecordedSpan[] = []
  const measured: { readonly name: string; readonly value: number; readonly attributes: Attributes }[] = []
  const tracer = {
    startSpan(name: string, { attributes = {} }: { attributes?: Attributes } = {}) {
      const span: RecordedSpan = { name, attributes: { ...attributes }, isEnded: false }
      spans.push(span)
      return {
        setAttribute: (key: string, value: never) => void Object.assign(span.attributes, { [key]: value }),
        setAttributes: (more: Attributes) => void Object.assign(span.attributes, more),
        setStatus: ({ message }: { message?: string }) => void Object.assign(span, { status: message }),
        end: () => Object.assign(span, { isEnded: true }),
      } as unknown as Span
    },
  }
  const instrumentOf = (name: string) => {
    const write = (value: number, attributes: Attributes = {}) => void measured.push({ name, value, attributes })
    return { add: write, record: write }
  }
  const meter = { createCounter: instrumentOf, createUpDownCounter: instrumentOf, createHistogram: instrumentOf }
  return {
    spans,
    measured,
    sum: (name: string) => measured.filter((one) => one.name === name).reduce((sum, { value }) => sum + value, 0),
    of: (name: string) => measured.filter((one) => one.name === name).map(({ attributes }) => attributes),
    options: {
      tracerProvider: { getTracer: () => tracer } as unknown as TracerProvider,
      meterProvider: { getMeter: () => meter } as unknown as MeterProvider,
    },
  }
}

const runtime = 'jseval-confine-runtime'

test('launch, exec and calls become spans, with codes and without the words of the guest', async () => {
  const { spans, options } = recorder()
  stop = instrument(options)
  await using sbx = new Sandbox({ runtime })
  const container = await sbx.execContainer({ source: 'exports.ok = () => 1; exports.fail = () => { throw new Error("secret words") }' })
  await container.call('ok')
  await expect(container.call('fail')).rejects.toThrow('secret words')
  expect(spans).toMatchObject([
    { name: 'confine.exec', attributes: { 'confine.runtime': runtime, 'confine.cid': 1 }, isEnded: true },
    { name: 'confine.launch', attributes: { 'confine.backend': sbx.isolation.backend }, isEnded: true },
    { name: 'confine.call', attributes: { 'confine.cid': 1, 'confine.method': 'ok' }, isEnded: true },
    { name: 'confine.call', attributes: { 'error.type': 'ERR_CONFINE_GUEST_THREW' }, status: 'ERR_CONFINE_GUEST_THREW', isEnded: true },
  ])
  expect(JSON.stringify(spans)).not.toContain('secret')
})

test('guests, calls, ends and violations are counted', async () => {
  const { sum, of, options } = recorder()
  stop = instrument(options)
  const sbx = new Sandbox({ runtime })
  const container = await sbx.execContainer({
    source: "exports.ok = () => 1; exports.steal = () => require('fs').readFileSync('/etc/passwd')",
  })
  await container.call('ok')
  expect(sum('confine.guests')).toBe(1)
  await expect(container.call('steal')).rejects.toMatchObject({ end: { kind: 'violation' } })
  await sbx.whenGuestProcessClosed
  expect(sum('confine.guests')).toBe(0)
  expect(of('confine.launch.duration')).toEqual([{ 'confine.runtime': runtime, 'confine.outcome': 'ok' }])
  expect(of('confine.call.duration').map((attributes) => attributes['confine.outcome'])).toEqual(['ok', 'ERR_CONFINE_GUEST_ENDED'])
  expect(of('confine.ends')).toEqual([{ 'confine.end': 'violation', 'confine.runtime': runtime }])
  expect(of('confine.violations')).toEqual([{ 'confine.syscall': 'openat', 'confine.action': 'kill' }])
})

test('calls of numbers that have no name are one series, however many a guest makes', () => {
  const { of, options } = recorder()
  stop = instrument(options)
  for (const syscall of ['syscall-600', 'syscall-601', 'openat']) {
    channel('confine-sandbox:violation').publish({ violation: { syscall, action: 'deny' } })
  }
  expect(of('confine.violations').map((attributes) => attributes['confine.syscall'])).toEqual(['unnamed', 'unnamed', 'openat'])
})

test('pools are counted', async () => {
  const { of, options } = recorder()
  stop = instrument(options)
  const pool = new SandboxPool({ runtime, min: 1, max: 1 })
  const sandbox = await pool.claim()
  await sandbox.teardown()
  await pool.close()
  const events = of('confine.pool.events').map((attributes) => attributes['confine.pool.event'])
  expect(events).toEqual(expect.arrayContaining(['launched', 'claimed', 'ended']))
  expect(of('confine.pool.wait')).toHaveLength(1)
})

test('what fails to launch is a span with its code, and no guest', async () => {
  const { spans, sum, options } = recorder()
  stop = instrument(options)
  await using sbx = new Sandbox({ runtime, minIsolation: { files: 9 } })
  await expect(sbx.init()).rejects.toMatchObject({ code: 'ERR_CONFINE_SETUP_FAILED' })
  expect(spans).toMatchObject([{ name: 'confine.launch', status: 'ERR_CONFINE_SETUP_FAILED', isEnded: true }])
  expect(sum('confine.guests')).toBe(0)
})

test('once it is stopped nothing is recorded, and without a provider nothing is done', async () => {
  const { spans, measured, options } = recorder()
  instrument(options)()
  stop = instrument()
  await using sbx = new Sandbox({ runtime })
  const container = await sbx.execContainer({ source: 'exports.ok = () => 1' })
  expect(await container.call('ok')).toBe(1)
  expect([spans, measured]).toEqual([[], []])
})
