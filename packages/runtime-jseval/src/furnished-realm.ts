import type { ConsoleLevel } from '@confine-sandbox/contract'
import { guestConsole } from './guest-console.ts'
import { guestProcess } from './guest-process.ts'
import { type GuestTimers, guestTimers } from './guest-timers.ts'
import { createRealm, type Realm } from './realm.ts'

/** The program that a realm is given to. */
interface Tenant {
  readonly path: string
  readonly argv: readonly string[]
  /** Whether a file is one of its. */
  hasFile(name: string): boolean
  /** It calls `process.exit()`. */
  exit(code: number): never
  /** It logs something. */
  logged(level: ConsoleLevel, args: unknown[]): void
}

/** A realm with a process, a console and timers of its own, which can be made before it is known for which program. */
export interface FurnishedRealm extends Realm {
  readonly timers: GuestTimers
  /** Gives it to its program. Once, before anything of that runs. */
  giveTo(tenant: Tenant): void
}

/** Makes such a realm. */
export function furnishedRealm(): FurnishedRealm {
  const realm = createRealm()
  const { global, tools } = realm
  let tenant: Tenant | undefined
  const process = guestProcess(tools.object(), (code) => tenant!.exit(code))
  const console = guestConsole(tools.object(), (level, args) => tenant!.logged(level, args))
  const timers = guestTimers()
  for (const [name, value] of Object.entries({ process, console, ...timers.globals })) {
    Object.defineProperty(global, name, { value, writable: true, configurable: true, enumerable: true })
  }
  tools.hideFrames((name) => tenant?.hasFile(name) !== false)
  return {
    ...realm,
    timers,
    giveTo(program) {
      tenant = program
      process.argv = [process.argv0, program.path, ...program.argv]
    },
  }
}
