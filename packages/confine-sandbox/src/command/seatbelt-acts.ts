import type { ConfinedCommand } from '@confine-sandbox/contract'
import { type Attempt, decide, readProfile } from '@confine-sandbox/isolation-macos'

/** What a Seatbelt profile answers to an act. */
export interface ActVerdict {
  readonly act: string
  readonly answer: string
}

/** Asks the profile in a command line of sandbox-exec about acts that people worry about. */
export function seatbeltActs(confined: ConfinedCommand | undefined): readonly ActVerdict[] {
  const { args = [] } = confined ?? {}
  const text = args.find((word) => word.startsWith('(version 1)'))
  if (text === undefined) return []
  const parameters: Record<string, string> = {}
  for (const [index, word] of args.slice(0, args.indexOf('--')).entries()) {
    const [name, ...value] = word === '-D' ? (args[index + 1] ?? '').split('=') : []
    if (name !== undefined) parameters[name] = value.join('=')
  }
  const rules = readProfile(text, parameters)
  return acts.map(([act, attempt]) => {
    const { action, signal } = decide(rules, attempt)
    return { act, answer: action === 'allow' ? 'allowed' : signal === undefined ? 'refused' : `refused, and ${signal} ends the guest` }
  })
}

const acts: readonly (readonly [string, Attempt])[] = [
  ['read /etc/passwd', { operation: 'file-read-data', path: '/private/etc/passwd' }],
  ['read in the home directory', { operation: 'file-read-data', path: '/Users/somebody/.ssh/id_ed25519' }],
  ['write to /tmp', { operation: 'file-write-create', path: '/private/tmp/file' }],
  ['connect to a network', { operation: 'network-outbound' }],
  ['listen on a port', { operation: 'network-bind' }],
  ['start a program', { operation: 'process-fork' }],
  ['run a shell', { operation: 'process-exec', path: '/bin/sh' }],
  ['signal another process', { operation: 'signal', target: 'others' }],
]
