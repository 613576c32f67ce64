import { type Place, Spawner } from './spawner.ts'

/** From which size on a host lets another process start its guests. `spawn()` takes some 8 ms from there on, and 1 in a small one. */
const largeHostBytes = 512 * 1024 * 1024

let shared: { readonly spawner: Spawner; readonly identity: string } | undefined

/**
 * A place with the one spawner of this process, which is started when it is first wanted and again when it is gone.
 * @param wish Whether the caller wants one; `auto` where this process is large.
 * @returns None where none is wanted or none can be: this process starts the guest itself then.
 */
export function placeOfSpawner(wish: boolean | 'auto'): Promise<Place | undefined> | undefined {
  // Its socket is reached by /proc. On macOS spawn() copies nothing.
  if (process.platform !== 'linux' || wish === false) return undefined
  if (wish === 'auto' && !isLarge()) return undefined
  return placeOf(identity()).catch(() => undefined)
}

function isLarge(): boolean {
  try {
    return process.memoryUsage.rss() >= largeHostBytes
  } catch {
    // It is read from a file, for which a host may have no descriptor left. To start the guest will fail as well, and says so.
    return false
  }
}

async function placeOf(identity: string): Promise<Place> {
  return await spawnerOf(identity).place()
}

function spawnerOf(identity: string): Spawner {
  if (shared?.spawner.isAlive === true) {
    if (shared.identity === identity) return shared.spawner
    // It would start guests with rights that this process has given up.
    shared.spawner.retire()
  }
  shared = { spawner: new Spawner(), identity }
  return shared.spawner
}

/** Whose rights this process has. */
function identity(): string {
  return [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.(), ...(process.getgroups?.() ?? [])].join()
}
