import { fileURLToPath } from 'node:url'
import {
  type Assessment,
  type Command,
  ConfineError,
  type ConfinedCommand,
  type IsolationBackend,
  type MissingLayer,
  type Policy,
} from '@confine-sandbox/contract'
import { assessmentOf, missingGround, noAssessment } from './assessment.ts'
import type { CgroupParent } from './cgroup-parents.ts'
import { fileAccess } from './file-rules.ts'
import { launcherArguments, lockPath } from './launcher-arguments.ts'
import { type Machine, thisMachine } from './machine.ts'
import { encodePlan } from './plan.ts'
import { reportReader } from './report-reader.ts'
import { libraryHints, loadedSharedObjects, type SharedObjects } from './shared-objects.ts'
import type { Architecture } from './syscall-numbers.ts'

/** Options of `linux()`. */
export interface LinuxOptions {
  /** The program that confines. @default the one that comes with this package */
  readonly launcher?: string
  /**
   * Whether guests get cgroups where they can be made: the kernel then counts memory and threads of a guest as a whole. A
   * fourth process keeps them, and removes them however the others end. @default true
   */
  readonly cgroups?: boolean
  /** What is asked of the machine; for tests. @default this machine */
  readonly machine?: Machine
}

/**
 * Confines guests with namespaces, a read-only root, Landlock and one seccomp filter with user notification, all of it
 * put in force by a small static program before node starts. See native/main.c for the order of steps.
 */
export function linux(options: LinuxOptions = {}): IsolationBackend {
  const machine = options.machine ?? thisMachine
  const launcher = options.launcher ?? packagedLauncher(machine.architecture)
  let missing: readonly MissingLayer[] | undefined
  let assessment: Assessment | undefined
  let objects: SharedObjects | undefined
  let cgroups: readonly CgroupParent[] | undefined
  const plans = new Map<string, Uint8Array>()
  const lacking = () => (missing ??= missingGround(machine, launcher))

  return {
    name: 'linux',
    lockPath,
    traces: true,
    assess: () => (assessment ??= lacking().length > 0 ? noAssessment(lacking()) : assessmentOf(machine.probe(launcher))),
    confine(command: Command, policy: Policy): ConfinedCommand {
      if (lacking().length > 0) throw unavailable(lacking())
      const architecture = machine.architecture as Architecture
      objects ??= loadedSharedObjects()
      cgroups ??= options.cgroups === false ? [] : (machine.cgroups?.() ?? [])
      const profile = `${policy.threads} ${policy.jit} ${fileAccess(policy)}`
      const plan = plans.get(profile) ?? encodePlan(policy, architecture)
      plans.set(profile, plan)
      return {
        file: launcher,
        args: launcherArguments(command, policy, objects, cgroups),
        env: { ...command.env, ...libraryHints(objects) },
        cwd: '/',
        descriptors: [{ send: plan, read: () => reportReader(architecture) }],
      }
    },
  }
}

/** The same from src/ and from dist/. native/Makefile puts it there. */
function packagedLauncher(architecture: string): string {
  return fileURLToPath(new URL(`../prebuilds/linux-${architecture}/confine-launch`, import.meta.url))
}

function unavailable(lacking: readonly MissingLayer[]): ConfineError {
  const why = lacking.map(({ reason, remedy }) => `${reason} ${remedy}`).join(' ')
  return new ConfineError('ERR_CONFINE_ISOLATION_UNAVAILABLE', `Cannot confine the guest on this machine. ${why}`)
}
