import { basename, dirname } from 'node:path/posix'
import { type BootLink, type Command, ConfineError, type Policy } from '@confine-sandbox/contract'
import { isBelowAny, requireCanonical, requirePassable, withoutNested } from './canonical-path.ts'
import type { Host } from './host.ts'
import { librariesOf } from './node-libraries.ts'
import { hardenedNodeFlags } from './profile/hardened.ts'
import { profile } from './profile/profile.ts'

/** How Seatbelt is applied. */
export interface Seatbelt {
  readonly hardened: boolean
  readonly nodeLibraries: readonly string[]
  readonly sandboxExec: string
  readonly emptyDirectory: string
}

/** Seatbelt's part of a command: the program that applies the profile and becomes node, and where it stands. */
export interface SeatbeltCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
}

/**
 * The command that runs another one under a profile. Asks for nothing but real paths.
 * @throws ERR_CONFINE_BAD_OPTION for a path that is not there or cannot be named in a profile.
 * @throws ERR_CONFINE_ISOLATION_UNAVAILABLE for a link that is not there.
 */
export function seatbeltCommand(command: Command, policy: Policy, seatbelt: Seatbelt, realpath: Host['realpath']): SeatbeltCommand {
  const node = real(command.file, 'the program')
  const cwd = real(seatbelt.emptyDirectory, 'the working directory')
  const reads = withoutNested(policy.bootRead.map((path) => real(path, 'a path of policy.bootRead')))
  const links = policy.bootLinks.map(linkOf).filter((path) => !isBelowAny(path, new Set(reads)))
  const libraries = [...librariesOf(node).filter(exists), ...seatbelt.nodeLibraries].map((path) => real(path, 'a path of nodeLibraries'))

  const libraryPaths = withoutNested(libraries)
  const grants = {
    read: policy.read.map((path) => granted(path, 'policy.read')),
    write: policy.write.map((path) => granted(path, 'policy.write')),
  }
  refuseProgramFiles(grants.write, [node, cwd, ...libraryPaths, ...reads, ...links])

  const { text, parameters } = profile({
    node,
    cwd,
    libraries: libraryPaths,
    reads,
    links,
    grants,
    hardened: seatbelt.hardened,
    onViolation: policy.onViolation,
  })
  const definitions = Object.entries(parameters).flatMap(([name, value]) => ['-D', `${name}=${value}`])
  const flags = seatbelt.hardened ? hardenedNodeFlags : []
  // -p, never -f: a file is one more thing to make and remove, and whoever can write to it replaces the whole policy
  // (navikt/cplt#327). The text does not grow with the policy, only the definitions do.
  return { file: seatbelt.sandboxExec, args: ['-p', text, ...definitions, '--', node, ...flags, ...command.args], cwd }

  function real(path: string, what: string): string {
    requirePassable(path, what)
    try {
      return requireCanonical(realpath(path), what)
    } catch (cause) {
      if (ConfineError.is(cause)) throw cause
      throw new ConfineError(
        'ERR_CONFINE_BAD_OPTION',
        `Cannot confine the guest: ${what} is ${JSON.stringify(path)}, which is not there. Give the path of an existing file or directory.`,
        { cause },
      )
    }
  }

  /** A file that the user named, at the path that it had when the sandbox was made. */
  function granted(path: string, list: string): string {
    const found = real(path, `a path of ${list}`)
    if (found === path) return path
    throw new ConfineError(
      'ERR_CONFINE_BAD_OPTION',
      `Cannot confine the guest: ${JSON.stringify(path)} of ${list} is now ${JSON.stringify(found)}. A link was put in its place since the sandbox was made.`,
    )
  }

  function exists(path: string): boolean {
    try {
      return realpath(path) !== ''
    } catch {
      return false
    }
  }

  /** The link itself, by the kernel's name. Nothing is made on macOS: it must stand on the disk and lead to its target. */
  function linkOf({ path, target }: BootLink): string {
    requirePassable(path, 'a path of policy.bootLinks')
    const leadsTo = exists(path) ? realpath(path) : undefined
    if (leadsTo === undefined || leadsTo !== real(target, 'a target of policy.bootLinks')) {
      throw new ConfineError(
        'ERR_CONFINE_ISOLATION_UNAVAILABLE',
        `Cannot confine the guest: its packages find each other by the link ${JSON.stringify(path)} to ${JSON.stringify(target)}, which is not ` +
          'on the disk, and on macOS a guest sees the disk as it is. Install the packages again.',
      )
    }
    return requireCanonical(`${real(dirname(path), 'a directory of policy.bootLinks')}/${basename(path)}`, 'a path of policy.bootLinks')
  }
}

/** What node boots from stays as it is: another guest boots from it next. */
function refuseProgramFiles(writes: readonly string[], programs: readonly string[]): void {
  for (const write of writes) {
    const within = new Set([write])
    const above = new Set(programs)
    const program = programs.find((path) => path === write || isBelowAny(path, within)) ?? (isBelowAny(write, above) ? write : undefined)
    if (program === undefined) continue
    throw new ConfineError(
      'ERR_CONFINE_BAD_OPTION',
      `Cannot let the guest write ${JSON.stringify(write)} (policy.write): guests boot from ${JSON.stringify(program)}. Name a directory that is for data alone.`,
    )
  }
}
