import { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { constants } from 'node:os'

/** Who has started a process, and can reach it. */
export interface Starter {
  kill(child: SpawnedElsewhere, signal: NodeJS.Signals): boolean
  /** Whether a process keeps this one from ending has changed. */
  refChanged(): void
}

/**
 * A ChildProcess without what Node's constructor makes: a handle for a process, which cannot be closed as long as it has none, and keeps
 * what belongs to it in memory for ever.
 */
const HandlelessChild = function (): object {
  return Reflect.construct(EventEmitter, [], new.target as Function)
} as unknown as new () => ChildProcess
Object.assign(HandlelessChild, { prototype: ChildProcess.prototype })

/** A child process as Node's, whose parent is the spawner. */
export class SpawnedElsewhere extends HandlelessChild {
  /** Whether this process may not end before that one. */
  isReferenced = true
  readonly #starter: Starter
  readonly #sockets: readonly Socket[]
  #open: number

  /** @param sockets Its descriptors from 1 on. Nothing that is written to them leaves before it has started. */
  constructor(starter: Starter, file: string, args: readonly string[], sockets: readonly Socket[]) {
    super()
    this.#starter = starter
    this.#sockets = sockets
    this.#open = sockets.length
    const [stdout, stderr] = sockets
    Object.assign(this, {
      spawnfile: file,
      spawnargs: [file, ...args],
      exitCode: null,
      signalCode: null,
      killed: false,
      connected: false,
      stdin: null,
      stdout,
      stderr,
      stdio: [null, ...sockets],
    })
    for (const socket of sockets) {
      socket.cork()
      socket.once('close', () => {
        this.#open--
        this.#closeIfOver()
      })
    }
  }

  override kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    if (typeof signal === 'number') throw new TypeError('A signal of a guest process is told by its name')
    const isSent = this.exitCode === null && this.signalCode === null && this.#starter.kill(this, signal)
    if (isSent) Object.assign(this, { killed: true })
    return isSent
  }

  override ref(): void {
    this.isReferenced = true
    this.#starter.refChanged()
  }

  override unref(): void {
    this.isReferenced = false
    this.#starter.refChanged()
  }

  spawned(pid: number): void {
    Object.assign(this, { pid })
    for (const socket of this.#sockets) socket.uncork()
    this.emit('spawn')
  }

  /** As a child of Node's own that could not be spawned: it is not active any more. */
  failed(error: Error): void {
    const errno = constants.errno[(error as NodeJS.ErrnoException).code as keyof typeof constants.errno] ?? 1
    Object.assign(this, { exitCode: -errno })
    for (const socket of this.#sockets) socket.destroy()
    this.emit('error', error)
  }

  exited(exitCode: number | null, signalCode: NodeJS.Signals | null): void {
    Object.assign(this, signalCode === null ? { exitCode } : { signalCode })
    this.emit('exit', exitCode, signalCode)
    this.#closeIfOver()
  }

  #closeIfOver(): void {
    if (this.#open === 0 && (this.exitCode !== null || this.signalCode !== null)) this.emit('close', this.exitCode, this.signalCode)
  }
}
