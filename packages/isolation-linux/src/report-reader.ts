import type { IsolationEvent, ReportReader, Violation } from '@confine-sandbox/contract'
import { type Architecture, syscallName } from './syscall-numbers.ts'

/**
 * Turns the launcher's lines of JSON into events. The launcher is trusted, what it quotes is not: a line that is too
 * long or is not as it should be is passed over.
 */
export function reportReader(architecture: Architecture, now: () => number = Date.now): ReportReader {
  let pending = Buffer.alloc(0)
  let isSkipping = false
  return (chunk) => {
    const events: IsolationEvent[] = []
    let rest = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk])
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
      return isStrings(line.layers) ? { type: 'ready', layers: line.layers } : undefined
    case 'locked':
      return { type: 'locked' }
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
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
  if (!isStrings(args) || args.length !== 6 || !args.every((arg) => /^0x[0-9a-f]{1,16}$/.test(arg))) return undefined
  if (action !== 'kill' && action !== 'deny') return undefined
  return {
    syscall: syscallName(number, architecture),
    ...(typeof path === 'string' ? { path: line.truncated === true ? `${text(path)}…` : text(path) } : {}),
    args,
    time: now(),
    action,
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** The launcher writes each byte as one character; a path is UTF-8 most of the time. */
function text(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}
