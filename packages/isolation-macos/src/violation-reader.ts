import type { IsolationEvent, Policy, ReportReader } from '@confine-sandbox/contract'
import { lineReader } from './line-reader.ts'
import { denialMessage, fatalOperations } from './profile/denials.ts'

/**
 * Reads what the unified log says of denials: one JSON object a line, from `log stream --style ndjson`, after a line with the number of
 * the guest. Best effort: macOS passes over some denials of programs that are not Apple's, and calls several alike one.
 */
export function violationReader({ onViolation, write }: Policy): ReportReader {
  const lines = lineReader(maxLineLength)
  const fatal = onViolation === 'kill' ? fatalOperations(write.length > 0) : []
  let guest = ''
  let left = maxViolations
  return (chunk) =>
    lines(chunk).flatMap((line): readonly IsolationEvent[] => {
      const [, number] = /^guest (\d+)$/.exec(line) ?? []
      if (number !== undefined && guest === '') {
        guest = number
        return []
      }
      const denial = denialIn(line)
      if (denial === undefined || denial.guest !== guest || isNoise(denial.operation)) return []
      const told = Math.min(1, left)
      left -= told
      const dropped = denial.times - told
      const { operation: syscall, what } = denial
      const violation = {
        syscall,
        ...(what.startsWith('/') ? { path: what } : {}),
        args: what === '' || what.startsWith('/') ? [] : [what],
        time: Date.now(),
        action: fatal.some((named) => covers(named, syscall)) ? 'kill' : 'deny',
      } as const
      return [
        ...(told === 0 ? [] : [{ type: 'violation', violation } as const]),
        ...(dropped === 0 ? [] : [{ type: 'violations-dropped', count: dropped } as const]),
      ]
    })
}

interface Denial {
  readonly guest: string
  readonly operation: string
  /** The path, the service or the address; empty where it is about nothing. */
  readonly what: string
  readonly times: number
}

/**
 * One line of the log, when the kernel wrote it about one of our denials. Its text is the kernel's up to the operation; what follows
 * may be a path that a guest chose, which cannot pretend to be the end: that is the last line.
 */
function denialIn(line: string): Denial | undefined {
  const { processID, senderImagePath, eventMessage } = objectIn(line)
  if (processID !== 0 || typeof senderImagePath !== 'string' || !senderImagePath.endsWith('/Sandbox')) return undefined
  if (typeof eventMessage !== 'string' || !eventMessage.endsWith(`\n${denialMessage}`)) return undefined
  const said = eventMessage.slice(0, -denialMessage.length - 1)
  const [, times = '0', guest, operation, what = ''] =
    /^(?:(\d{1,9}) duplicate reports? for )?Sandbox: [^()]{1,100}\((\d{1,10})\) deny\(\d+\) ([a-z][a-z*-]{0,60})(?: (.*))?$/s.exec(said) ??
    []
  if (guest === undefined || operation === undefined) return undefined
  return { guest, operation, what: what.slice(0, maxPathLength), times: Number(times) || 1 }
}

function objectIn(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** What Node and the system's libraries try by themselves and can do without, whatever the guest's program is. */
function isNoise(operation: string): boolean {
  return noise.some((named) => covers(named, operation))
}

const noise = ['file-read-metadata', 'file-test-existence', 'sysctl-read', 'mach-lookup', 'process-info*', 'user-preference-read', 'iokit*']

function covers(named: string, operation: string): boolean {
  return named.endsWith('*') ? operation.startsWith(named.slice(0, -1)) : operation === named
}

/** So many are told one by one in the life of a guest, the rest by their number. */
const maxViolations = 1024
const maxLineLength = 64 * 1024
const maxPathLength = 4096
