import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory and a file of this host that every user may write, and that no user finds who was not told where they are. */
export interface OpenDirectory {
  readonly directory: string
  readonly file: string
  /** A path beside the directory, for a socket: nobody else can put anything there. */
  readonly unixSocket: string
  entries(): string[]
  /** Whether the file is what it was, and not something else under its name. */
  isUntouched(): boolean
  /** Removes all of it but what others have made below a directory of their own. */
  remove(): void
}

/**
 * Makes one. The guest may be any user, so permissions cannot keep the others out; a name of 128 random bits does, in a
 * directory that may be passed and not be listed. Only the socket's path is told by the system to everybody, so it is elsewhere.
 */
export function openDirectory(): OpenDirectory {
  const outer = realpathSync(mkdtempSync(join(tmpdir(), 'confine-target-')))
  const directory = join(outer, randomBytes(16).toString('hex'))
  const file = join(directory, 'secret')
  const unixSocket = join(outer, 'host.sock')
  mkdirSync(directory, { mode: 0o700 })
  writeFileSync(file, canary, { flag: 'wx' })
  // Nobody is in the way but the sandbox: not permissions, not owners.
  chmodSync(file, 0o666)
  chmodSync(directory, 0o777)
  chmodSync(outer, 0o711)
  return {
    directory,
    file,
    unixSocket,
    entries: () => readdirSync(directory),
    isUntouched: () => readCanary(file) === canary,
    remove() {
      // From here on nobody exchanges what is looked at. A directory in there is somebody else's, so nothing below it is touched.
      chmodSync(outer, 0o700)
      chmodSync(directory, 0o700)
      for (const name of readdirSync(directory))
        attempt(
          () => unlinkSync(join(directory, name)),
          () => rmdirSync(join(directory, name)),
        )
      attempt(() => rmdirSync(directory))
      attempt(() => unlinkSync(unixSocket))
      attempt(() => rmdirSync(outer))
    },
  }
}

const canary = 'canary of the host'

/** Follows no link and waits for no pipe. */
function readCanary(file: string): string | undefined {
  let fd: number | undefined
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!fstatSync(fd).isFile()) return undefined
    const bytes = Buffer.alloc(canary.length + 1)
    return bytes.toString('latin1', 0, readSync(fd, bytes))
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Does the first of these that can be done. */
function attempt(...acts: readonly (() => void)[]): void {
  for (const act of acts) {
    try {
      act()
      return
    } catch {}
  }
}
