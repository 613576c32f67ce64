import type { StartEnd, StartFailure } from '@confine-sandbox/contract'

/**
 * Explains how sandbox-exec, or node under it, ended before the guest was ready. A pure function of what is known of the end.
 * Ask it only while no untrusted source was sent: from then on the guest itself writes to stderr, and could write anything.
 */
export function explainStart(end: StartEnd): StartFailure | undefined {
  for (const known of knownFailures) {
    const found = known.stderr?.exec(end.stderr)
    if (known.stderr && !found) continue
    if (known.exitCode !== undefined && known.exitCode !== end.exitCode) continue
    if (known.signal !== undefined && known.signal !== signalOf(end)) continue
    const [, ...details] = found ?? []
    return { stage: known.stage, reason: known.reason(...details), remedy: known.remedy }
  }
  return undefined
}

interface KnownFailure {
  readonly stage: string
  readonly stderr?: RegExp
  readonly exitCode?: number
  readonly signal?: string
  readonly reason: (...details: string[]) => string
  readonly remedy: string
}

const report = 'Please report it, with the version of macOS and of node.'
const seeDenials = `See what was denied: log show --last 1m --predicate 'eventMessage CONTAINS "deny("'`

// The first that fits is taken: the surest signs stand first. Exit codes are those of sysexits(3), and 125 to 127 those of a shell.
const knownFailures: readonly KnownFailure[] = [
  {
    stage: 'limits',
    stderr: /^confine: (.*)/m,
    exitCode: 125,
    reason: (what) => `a limit of the guest could not be set: ${what}.`,
    remedy: 'Ask for other limits, or start the host with higher ones (ulimit -H -a).',
  },
  {
    stage: 'exec',
    stderr: /launch\.sh: line \d+: (.*)/,
    reason: (what) => `the shell could not start the guest: ${what}.`,
    remedy: 'The programs of macOS must be in their places, and this user must be able to start processes.',
  },
  {
    // openai/codex#45657, anthropic-experimental/sandbox-runtime#67: exit code 71; the log says forbidden-sandbox-reinit.
    stage: 'seatbelt',
    stderr: /^sandbox-exec: sandbox_apply: Operation not permitted/m,
    reason: () => 'this process is already in a sandbox, and Seatbelt sandboxes do not nest.',
    remedy: 'Start the host outside that sandbox (of an app, an agent, a build tool), or let it stand alone with noSandbox: true.',
  },
  {
    stage: 'seatbelt',
    stderr: /^sandbox-exec: sandbox_apply: (.*)/m,
    reason: (what) => `Seatbelt did not take the profile: ${what}.`,
    remedy: report,
  },
  {
    // Exit code 71 as well.
    stage: 'exec',
    stderr: /^sandbox-exec: execvp\(\) of '(.*)' failed: (.*)/m,
    reason: (file, what) => `sandbox-exec could not run ${file}: ${what}.`,
    remedy: 'The node binary must exist and be executable, and Seatbelt must know it by this path.',
  },
  {
    stage: 'profile',
    stderr: /^sandbox-exec: (.*)/m,
    exitCode: 65,
    reason: (what) => `this macOS does not understand the profile: ${what}.`,
    remedy: report,
  },
  {
    stage: 'arguments',
    stderr: /^(?:usage|Usage): sandbox-exec/m,
    exitCode: 64,
    reason: () => 'sandbox-exec did not take its arguments.',
    remedy: report,
  },
  {
    // supernovae-st/nika#973.
    stage: 'dyld',
    stderr: /Library not loaded: (\S+)/,
    reason: (library) => `node needs the library ${library}, which the profile does not let it load.`,
    remedy: 'Name its directory: macos({ nodeLibraries: [directory] }).',
  },
  {
    // nodejs/node#62230.
    stage: 'node',
    stderr: /OpenSSL configuration error[\s\S]*?fopen\(([^,)]+)/,
    reason: (file) => `node must look for its OpenSSL configuration at ${file}, which the profile does not let it do.`,
    remedy: 'Name its directory: macos({ nodeLibraries: [directory] }).',
  },
  {
    stage: 'node',
    stderr: /reserve virtual memory for CodeRange/,
    reason: () => 'node may not make code at run time.',
    remedy: 'It must be signed with the right to (com.apple.security.cs.allow-jit), or be confined with macos({ hardened: true }).',
  },
  {
    stage: 'node',
    signal: 'SIGSYS',
    reason: () => 'Seatbelt ended node before it was ready: it did what the policy answers with a kill.',
    remedy: `${seeDenials}. ${report}`,
  },
  {
    // akitaonrails/ai-jail#77, openai/codex#35437: nothing on stderr.
    stage: 'dyld',
    signal: 'SIGABRT',
    reason: () => "the system's loader gave up before node ran: it was denied something that it needs.",
    remedy: `${seeDenials}. ${report}`,
  },
  {
    // h5i-dev/h5i#387: macOS kills a program whose start is denied.
    stage: 'exec',
    signal: 'SIGKILL',
    stderr: /^$/,
    reason: () => 'macOS killed node before it ran: its start was denied, or its signature is not valid.',
    remedy: `${seeDenials}. ${report}`,
  },
]

/** The signal, also when a shell in between turned it into an exit code. */
function signalOf({ exitCode, signal }: StartEnd): string | null {
  if (signal !== null || exitCode === null) return signal
  return signalsByExitCode[exitCode] ?? null
}

// macOS numbers: SIGABRT 6, SIGKILL 9, SIGSYS 12.
const signalsByExitCode: Readonly<Record<number, string>> = { 134: 'SIGABRT', 137: 'SIGKILL', 140: 'SIGSYS' }
