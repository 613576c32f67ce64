import type { OnViolation } from '@confine-sandbox/contract'
import { quoted } from '../sbpl/expression.ts'
import { deny, type Rule } from './rule.ts'

/** What a denial says in the unified log, beside the act. */
export const denialMessage = 'confine-sandbox'

/** The head of every profile: what is denied, before anything is allowed. */
export function denials({ onViolation, writes }: { onViolation: OnViolation; writes: boolean }): readonly Rule[] {
  return onViolation === 'kill' ? [...always, fatal(writes)] : always
}

/** The operations that end a guest. With files to write, a write elsewhere fails and ends nobody: as on Linux, its path decides. */
export function fatalOperations(writes: boolean): readonly string[] {
  return ['process-exec*', 'process-fork', 'network*', ...(writes ? [] : ['file-write*'])]
}

const message = ['with', 'message', quoted(denialMessage)]

const always: readonly Rule[] = [
  deny(
    'Everything that no rule below allows. No service of the system (mach-lookup) is among that.',
    ['chromium-common', 'srt', 'firefox-utility'],
    ['default'],
    [message],
  ),
  deny(
    'These Seatbelt allows unless they are denied by name.',
    ['chromium-renderer', 'webkit', 'firefox-map', 'nono-20'],
    ['process-info*', 'nvram*', 'iokit-get-properties', 'file-map-executable'],
  ),
  deny(
    'Ways to make of a file that may be written one that leads elsewhere, or runs as somebody else. Never allowed.',
    ['link-denials', 'nix-defaults'],
    ['file-link', 'file-clone', 'file-write-setugid'],
    [message],
  ),
]

// Node does none of these by itself, so each is the guest's doing. A forbidden read is not among them: looking for a module,
// Node asks for files that it may not see, and Seatbelt knows no point from which on that would be the guest.
function fatal(writes: boolean): Rule {
  return deny(
    'onViolation: kill. These acts are never of Node itself; the first one ends the process.',
    ['ladybird', 'chromium-gpu'],
    fatalOperations(writes),
    [['with', 'send-signal', 'SIGSYS'], message],
  )
}
