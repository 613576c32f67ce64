import { type ConfinedCommand, defaultPolicy, type MissingLayer, type StartEnd } from '@confine-sandbox/contract'
import { confinedCommand, type Launch } from './confined-command.ts'
import { explainStart } from './explain-start.ts'
import type { Host } from './host.ts'
import type { Seatbelt } from './seatbelt-command.ts'

/**
 * What this machine lacks for Seatbelt. When everything is in its place, starts node once under the very profile of a guest
 * that may read nothing: only that shows a sandbox around this process, a profile that this macOS refuses, or a library.
 */
export function missingLayers(host: Host, seatbelt: Seatbelt, launch: Launch, execPath: string): readonly MissingLayer[] {
  const { sandboxExec, emptyDirectory } = seatbelt
  if (host.platform !== 'darwin') return [wrongPlatform(host.platform)]
  if (!host.isExecutable(sandboxExec)) {
    return [
      {
        layer: 'sandbox-exec',
        reason: `there is no ${sandboxExec} that this user may run.`,
        remedy: 'It is part of macOS; ask whoever manages this machine why it is blocked.',
      },
    ]
  }
  const absent = [launch.shell, launch.env, ps].find((program) => !host.isExecutable(program))
  if (absent !== undefined) {
    return [
      {
        layer: 'limits',
        reason: `there is no ${absent} that this user may run, which limits and watches guests.`,
        remedy: 'It is part of macOS; ask whoever manages this machine why it is blocked.',
      },
    ]
  }
  if (!host.isEmptyDirectory(emptyDirectory)) {
    return [
      {
        layer: 'empty directory',
        reason: `${emptyDirectory}, in which guests stand, is not an empty directory.`,
        remedy: 'Empty it, or name another one that stays empty: macos({ emptyDirectory }).',
      },
    ]
  }
  return trial(host, seatbelt, launch, execPath)
}

/** scripts/watch.sh looks with it. */
export const ps = '/bin/ps'

function trial(host: Host, seatbelt: Seatbelt, launch: Launch, execPath: string): readonly MissingLayer[] {
  const { file, args, cwd } = trialCommand(host, seatbelt, launch, execPath)
  const end = host.run(file, args, cwd)
  return end.exitCode === 0 ? [] : [{ layer: 'seatbelt', ...whyNot(end) }]
}

/** A guest that does nothing, under the very profile and limits of one that may read nothing. */
export function trialCommand(host: Host, seatbelt: Seatbelt, launch: Launch, execPath: string): ConfinedCommand {
  const node = { file: execPath, args: ['-e', '0'], env: {} }
  return confinedCommand(node, defaultPolicy, seatbelt, { ...launch, log: undefined }, host.realpath)
}

/** Why a trial failed. */
export function whyNot(end: StartEnd): { readonly reason: string; readonly remedy: string } {
  const { reason, remedy } = explainStart(end) ?? {
    reason: `node did not start under the profile: it ended with ${end.signal ?? `exit code ${end.exitCode}`}. ${end.stderr.trim()}`,
    remedy: 'Please report it, with the version of macOS and of node.',
  }
  return { reason, remedy }
}

function wrongPlatform(platform: string): MissingLayer {
  return {
    layer: 'seatbelt',
    reason: `this is ${platform}, and Seatbelt is part of macOS.`,
    remedy:
      platform === 'linux'
        ? 'Use linux() of @confine-sandbox/isolation-linux here.'
        : 'Guests can be confined on Linux and macOS: run the host on one of them (a virtual machine, a container, WSL 2 on Windows), ' +
          'or run the guest without isolation, if you trust it, with noSandbox: true.',
  }
}
