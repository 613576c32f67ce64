import type { IsolationEvent, IsolationTier, ReportReader, Violation } from '@confine-sandbox/contract'
import { type Architecture, syscallName } from './syscall-numbers.ts'
import { missedText, type TracedCall, traceText } from './trace-text.ts'
import { wallsOf } from './walls.ts'

/**
 * Turns the launcher's lines of JSON into events. The launcher is trusted, what it quotes is not: a line that is too
 * long or is not as it should be is passed over.
 */
export function reportReader(architecture: Architecture, now: () => number = Date.now): ReportReader {
  let pending = Buffer.alloc(0)
  let isSkipping = false
  return (chunk) => {
    const events: IsolationEvent[] = []
    let rest = pending.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([pending, chunk])
    for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
      const event = isSkipping || end > maxLineBytes ? undefined : readLine(rest.subarray(0, end), architecture, now)
      if (event !== undefined) events.push(event)
      isSkipping = false
      rest = rest.subarray(end + 1)
    }
    if (rest.length > maxLineBytes) isSkipping = true
    pending = isSkipping ? Buffer.alloc(0) : Buffer.from(rest)
    return events
  }
}

/** The launcher's own bound is 8 KiB. */
export const maxLineBytes = 16 * 1024
const newline = 0x0a

function readLine(bytes: Buffer, architecture: Architecture, now: () => number): IsolationEvent | undefined {
  const line = parse(bytes)
  if (line === undefined) return undefined
  switch (line.type) {
    case 'ready':
      return isStrings(line.layers) ? { type: 'ready', layers: line.layers, walls: wallsOf(line.layers), ...readTier(line) } : undefined
    case 'locked':
      return { type: 'locked' }
    case 'dropped':
      return isCount(line.count) ? { type: 'violations-dropped', count: line.count } : undefined
    case 'trace':
      return readTrace(line, architecture)
    case 'limit':
      return line.limit === 'memory' || line.limit === 'cpu' ? { type: 'limit', limit: line.limit } : undefined
    case 'usage':
      if (!isCount(line.cpuMs) || !isCount(line.peakMemoryKiB)) return undefined
      return { type: 'usage', cpuMs: line.cpuMs, peakMemoryMiB: Math.round(line.peakMemoryKiB / 1024) }
    case 'setup-failed':
      if (typeof line.stage !== 'string' || typeof line.reason !== 'string') return undefined
      return { type: 'setup-failed', stage: line.stage, reason: text(line.reason) }
    case 'violation': {
      const violation = readViolation(line, architecture, now)
      return violation === undefined ? undefined : { type: 'violation', violation }
    }
    default:
      return undefined
  }
}

function parse(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('latin1'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function readViolation(line: Record<string, unknown>, architecture: Architecture, now: () => number): Violation | undefined {
  const { number, arguments: args, path, action } = line
  if (!isCall(number, args)) return undefined
  if (action !== 'kill' && action !== 'deny') return undefined
  return {
    syscall: syscallName(number as number, architecture),
    ...(typeof path === 'string' ? { path: line.truncated === true ? `${text(path)}…` : text(path) } : {}),
    args: args as string[],
    time: now(),
    action,
  }
}

/** What was missed stands before the call that was not. */
function readTrace(line: Record<string, unknown>, architecture: Architecture): IsolationEvent | undefined {
  const { number, arguments: args, thread, fate, error, path, data, missed } = line
  const before = isCount(missed) ? missedText(missed) : ''
  const isRead = isCall(number, args) && isCount(thread) && isFate(fate) && isCount(error)
  if (!isRead) return before === '' ? undefined : { type: 'trace', text: before }
  const call = {
    ...{ number: number as number, args: args as string[], thread, fate, error },
    ...(typeof path === 'string' ? { path: text(path) } : {}),
    ...(typeof data === 'string' ? { data } : {}),
  }
  return { type: 'trace', text: before + traceText(call, architecture) }
}

function readTier({ tier, because, verified }: Record<string, unknown>): { readonly tier?: IsolationTier } {
  if (typeof tier !== 'string' || !isStrings(because)) return {}
  return { tier: { name: tier, because: because.map(text), isVerified: verified === true } }
}

function isCall(number: unknown, args: unknown): boolean {
  return Number.isInteger(number) && isStrings(args) && args.length === 6 && args.every((arg) => /^0x[0-9a-f]{1,16}$/.test(arg))
}

function isFate(fate: unknown): fate is TracedCall['fate'] {
  return fate === 'done' || fate === 'failed' || fate === 'locked' || fate === 'killed'
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** The launcher writes each byte as one character; a path is UTF-8 most of the time. */
function text(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}
