import type { Assessment, MissingLayer } from '@confine-sandbox/contract'
import type { Machine } from './machine.ts'

/** How the launcher holds a policy. What it cannot put in force when it starts is a failed start, never a weaker one. */
export function assessmentOf(missing: readonly MissingLayer[]): Assessment {
  const part = (...by: string[]) => (missing.length === 0 ? ({ hold: 'exact', by } as const) : ({ hold: 'none', by: [] } as const))
  return {
    backend: 'linux',
    parts: {
      files: part('mount-ns', 'read-only-root', 'seccomp-notify', 'landlock'),
      network: part('net-ns', 'seccomp-notify', 'landlock'),
      processes: part('pid-ns', 'seccomp-notify'),
      privileges: part('user-ns', 'no-capabilities', 'no-new-privs'),
      syscalls: part('seccomp-notify'),
    },
    missing,
  }
}

/**
 * What can be told without a launch. Starts nothing: what only a try can show (a container's seccomp profile, AppArmor,
 * an old kernel) the launcher reports as a failed set-up, with its remedy.
 */
export function missingLayers(machine: Machine, launcher: string): readonly MissingLayer[] {
  if (machine.platform !== 'linux')
    return [
      {
        layer: 'platform',
        reason: `This backend confines on Linux only, and this is ${machine.platform}.`,
        remedy: 'Use the backend of your platform, or run on Linux.',
      },
    ]
  if (machine.architecture !== 'x64' && machine.architecture !== 'arm64')
    return [
      {
        layer: 'architecture',
        reason: `System calls are known for x64 and arm64, and this node is built for ${machine.architecture}.`,
        remedy: 'Run a node that is built for one of them.',
      },
    ]
  return [...missingLauncher(machine, launcher), ...missingUserNamespaces(machine)]
}

function missingLauncher(machine: Machine, launcher: string): readonly MissingLayer[] {
  if (machine.isExecutable(launcher)) return []
  return [
    {
      layer: 'launcher',
      reason: `There is no launcher that can be executed at ${launcher}.`,
      remedy: 'Install @confine-sandbox/isolation-linux again, on a file system that is not mounted noexec; in a clone, run npm run build.',
    },
  ]
}

function missingUserNamespaces(machine: Machine): readonly MissingLayer[] {
  if (machine.readSysctl('user/max_user_namespaces') === 0)
    return [
      {
        layer: 'user-ns',
        reason: 'This machine allows no user namespace: user.max_user_namespaces is 0.',
        remedy: "Run 'sysctl -w user.max_user_namespaces=10000' as root.",
      },
    ]
  if (!machine.isRoot && machine.readSysctl('kernel/unprivileged_userns_clone') === 0)
    return [
      {
        layer: 'user-ns',
        reason: 'This machine allows user namespaces to root only: kernel.unprivileged_userns_clone is 0.',
        remedy: "Run 'sysctl -w kernel.unprivileged_userns_clone=1' as root.",
      },
    ]
  return []
}
