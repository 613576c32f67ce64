import type { Command, Limits, Policy } from '@confine-sandbox/contract'
import { type GuestSettings, guestProgram } from '@confine-sandbox/guest'
import { takesCode } from './guest-code.ts'
import type { CheckedOptions } from './options.ts'

/** The guest's command, before a backend wraps it: this Node, the runtime's flags, the guest program, its settings. */
export function guestCommand(options: CheckedOptions, entry: string, { lockPath, teaches }: LaunchFacts): Command {
  const { runtime } = options
  const settings: GuestSettings = {
    runtime: runtime.bundle ?? runtime.entry,
    maxContainers: options.maxContainers ?? runtime.maxContainers,
    ...(runtime.warmUp === undefined ? {} : { warmUp: runtime.warmUp }),
    ...(runtime.bundle === undefined ? {} : { isBundle: true }),
    ...(runtime.bundle === undefined || runtime.bundleAddons === undefined ? {} : { addons: runtime.bundleAddons }),
    ...(lockPath === undefined ? {} : { lockPath }),
    ...(options.standby ? { standby: true } : {}),
    ...(teaches ? { teaches: true } : {}),
    ...(takesCode(options) ? { hasCode: true } : {}),
  }
  return {
    file: process.execPath,
    args: [
      // Its path is a real one: the host has looked.
      '--preserve-symlinks-main',
      ...heapFlags(options.limits),
      ...(options.policy.hardened ? hardenedFlags : []),
      ...runtime.nodeFlags,
      entry,
      JSON.stringify(settings),
    ],
    env: guestEnvironment,
  }
}

/** What is particular to one launch. */
export interface LaunchFacts {
  /** The path whose statfs asks for the lock. */
  readonly lockPath: string | undefined
  /** Whether the guest is asked what V8 learns there. */
  readonly teaches: boolean
}

/** What the guest may do, as far as the options and the runtime decide it. */
export function guestPolicy(options: CheckedOptions, entry: string, trace: boolean): Policy {
  const { runtime } = options
  return {
    ...(runtime.bundle === undefined
      ? { bootRead: [entry, guestProgram, ...runtime.directories], bootLinks: runtime.links }
      : {
          bootRead: [entry, guestProgram, runtime.bundle, ...(runtime.bundleFiles ?? []), ...Object.values(runtime.bundleAddons ?? {})],
          bootLinks: [],
        }),
    read: options.policy.read,
    write: options.policy.write,
    scratchMiB: options.policy.scratchMiB,
    jit: !options.policy.hardened,
    threads: runtime.threads,
    onViolation: options.onViolation,
    limits: options.limits,
    trace,
  }
}

/** V8 ends the process that is denied memory to execute, unless it was told to need none. */
const hardenedFlags = ['--jitless']

/**
 * So that V8 collects garbage, and then gives up with a message, before the hard limit ends the process. A young
 * generation of half the usual size keeps a third of the memory after work, for a tenth more time of what allocates most.
 */
function heapFlags({ memoryMiB }: Limits): string[] {
  return memoryMiB === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(memoryMiB * 0.75))}`, '--max-semi-space-size=8']
}

/** The guest's whole environment: nothing of the host's is in it. */
const guestEnvironment = Object.freeze({
  HOME: '/',
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  // Without it the first local time after the lock reads /etc/localtime.
  TZ: 'UTC',
  // An unreadable openssl.cnf ends Node at its start; an empty name means none.
  OPENSSL_CONF: '',
})
