import {
  ConfineError,
  type Command,
  type ConfinedCommand,
  type IsolationBackend,
  type MissingLayer,
  type Policy,
} from '@confine-sandbox/contract'
import { assessmentOf } from './assessment.ts'
import { confinedCommand } from './confined-command.ts'
import { explainStart } from './explain-start.ts'
import { missingLayers } from './missing-layers.ts'
import { type MacosOptions, settingsOf } from './settings.ts'
import { mostWalls } from './walls.ts'

/**
 * Confines guests with Seatbelt, by sandbox-exec. Has no lock path: the profile holds from the guest's first instruction and
 * never changes, so what `policy.bootRead` names stays readable (never writable) for the guest's whole life.
 *
 * The first `assess` or `confine` starts node once under the profile, to see that it does; it waits for it (some 100 ms).
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function macos(options: MacosOptions = {}): IsolationBackend {
  const { host, seatbelt, launch, execPath } = settingsOf(options)
  let found: readonly MissingLayer[] | undefined
  const missing = () => (found ??= missingLayers(host, seatbelt, launch, execPath))

  return {
    name: 'macos',
    mostWalls: mostWalls(seatbelt.hardened),
    assess: (policy: Policy) => assessmentOf(policy, seatbelt.hardened || !policy.jit, missing()),
    confine(command: Command, policy: Policy): ConfinedCommand {
      const lacking = missing()
      if (lacking.length > 0) throw unavailable(lacking)
      refuseScratch(policy)
      return confinedCommand(command, policy, { ...seatbelt, hardened: seatbelt.hardened || !policy.jit }, launch, host.realpath)
    },
    explainStart,
  }
}

function refuseScratch({ scratchMiB }: Policy): void {
  if (scratchMiB === 0) return
  throw new ConfineError(
    'ERR_CONFINE_ISOLATION_UNAVAILABLE',
    'macOS has no file system in memory that a user may mount: policy.scratchMiB is held on Linux only. ' +
      'Grant an empty directory instead (policy.write), and remove it afterwards.',
  )
}

function unavailable(lacking: readonly MissingLayer[]): ConfineError {
  const why = lacking.map(({ reason, remedy }) => `${reason} ${remedy}`).join(' ')
  return new ConfineError('ERR_CONFINE_ISOLATION_UNAVAILABLE', `Cannot confine the guest with Seatbelt: ${why}`)
}
