import type { OnViolation } from '@confine-sandbox/contract'
import { quoted } from '../sbpl/expression.ts'
import { deny, type Rule } from './rule.ts'

/** The head of every profile: what is denied, before anything is allowed. */
export function denials(onViolation: OnViolation): readonly Rule[] {
  return onViolation === 'kill' ? [...always, fatal] : always
}

// What the log says of a denial: log stream --predicate 'eventMessage CONTAINS "confine-sandbox"'
const message = ['with', 'message', quoted('confine-sandbox')]

const always: readonly Rule[] = [
  deny('Everything that no rule below allows.', ['chromium-common', 'srt'], ['default'], [message]),
  deny(
    'These Seatbelt allows unless they are denied by name.',
    ['chromium-renderer', 'webkit', 'firefox-map', 'nono-20'],
    ['process-info*', 'nvram*', 'iokit-get-properties', 'file-map-executable'],
  ),
]

// Node does none of these by itself, so each is the guest's doing. A forbidden read is not among them: looking for a module,
// Node asks for files that it may not see, and Seatbelt knows no point from which on that would be the guest.
const fatal = deny(
  'onViolation: kill. These acts are never of Node itself; the first one ends the process.',
  ['ladybird', 'chromium-gpu'],
  ['process-exec*', 'process-fork', 'network*', 'file-write*'],
  [['with', 'send-signal', 'SIGSYS'], message],
)
