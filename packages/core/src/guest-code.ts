import { statSync } from 'node:fs'
import { codeMessage, codeOf, guestProgram } from '@confine-sandbox/guest'
import type { CheckedOptions } from './options.ts'

/**
 * Whether a guest is sent what V8 knows of its texts. Not over a listening transport, on whose socket it could not wait for it, and
 * not where its V8 has other flags than this one: it would refuse it.
 */
export function takesCode({ transport, policy }: CheckedOptions): boolean {
  return transport === 'inherited' && !policy.hardened
}

/**
 * What the guest reads first (read-code.ts in the package guest). V8 is asked once in the life of this process, while the first
 * guest boots; again for a file that was changed meanwhile, as the guest reads the file itself.
 */
export function guestCode({ runtime: { bundle } }: CheckedOptions): Uint8Array {
  try {
    return codeFor(bundle)
  } catch {
    // A file that is not there any more: the guest will say so.
    return codeMessage({})
  }
}

function codeFor(bundle: string | undefined): Uint8Array {
  const runtimeVersion = bundle === undefined ? '' : versionOf(bundle)
  const version = `${versionOf(guestProgram)} ${runtimeVersion}`
  const kept = messages.get(bundle)
  if (kept?.version === version) return kept.message
  const program = codeOf({ path: guestProgram, kind: 'program' })
  const runtime = bundle === undefined ? undefined : codeOf({ path: bundle, kind: 'runtime' })
  const message = codeMessage({ program, runtime })
  messages.set(bundle, { version, message })
  return message
}

// What was found out about files, by the runtime's.
const messages = new Map<string | undefined, { readonly version: string; readonly message: Uint8Array }>()

function versionOf(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true })
  return `${ino} ${size} ${mtimeNs}`
}
