import type { Facts } from './facts.ts'

/** The one place for what users are told to do. Each is a whole sentence. */

export const reinstall =
  'Install @confine-sandbox/isolation-linux again, on a file system that is not mounted noexec; in a clone, run npm run build.'

export const outsideGvisor = 'Run under a Linux kernel: gVisor (runsc) does not have it. In a container, use the runtime runc or crun.'

export const wsl2 = "Run under WSL 2: 'wsl --set-version <distribution> 2'."

export function setSysctl(facts: Facts, name: string, value: number): string {
  const where = facts.isInContainer ? 'as root on the host of the container' : 'as root'
  return `Run 'sysctl -w ${name}=${value}' ${where}, and write ${name}=${value} to a file in /etc/sysctl.d to keep it.`
}

export function newerKernel(version: string): string {
  return `Use Linux ${version} or newer.`
}

export function otherKernel(option: string): string {
  return `Use a kernel that is built with ${option}.`
}

/** Ubuntu since 23.10. A profile attaches by path: one for both programs, or the probe would not see what the launcher may. */
export function allowUserNamespacesInAppArmor(facts: Facts): string {
  const programs = facts.observations.launcher.file.replace(/confine-launch$/, 'confine-{launch,probe}')
  return (
    `Write 'profile confine "${programs}" flags=(unconfined) { userns, }' to /etc/apparmor.d/confine and run ` +
    `'apparmor_parser -r /etc/apparmor.d/confine' as root; or allow them to every program: ` +
    setSysctl(facts, 'kernel.apparmor_restrict_unprivileged_userns', 0)
  )
}

/** The filter is inherited: nothing within the container can lift it. */
export function otherSeccompProfile(facts: Facts, calls: string): string {
  if (facts.isIn('kubernetes'))
    return `Give the pod a seccomp profile that allows ${calls}: securityContext.seccompProfile of type Localhost, or Unconfined.`
  if (facts.isIn('docker') || facts.isIn('podman'))
    return `Start the container with a seccomp profile that allows ${calls}: --security-opt seccomp=<file>, or seccomp=unconfined.`
  return `Start this program without the seccomp filter that it inherits, or with one that allows ${calls}.`
}

export function otherSecurityContext(facts: Facts): string {
  const context = facts.securityContext ?? ''
  if (facts.isIn('kubernetes')) return `Give the pod another profile than ${context}: securityContext.appArmorProfile or seLinuxOptions.`
  if (facts.isIn('docker') || facts.isIn('podman'))
    return `Start the container with another profile than ${context}: --security-opt apparmor=unconfined, or label=disable with SELinux.`
  return `Allow it in the security profile that confines this process, ${context}.`
}

export function see(id: string): string {
  return `See ${id}.`
}
