import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Socket } from 'node:net'
import type { ConfinedCommand } from '@confine-sandbox/contract'
import { spawnerEntry } from '../spawner-entry.ts'
import { HiddenPath } from './hidden-path.ts'
import { header, type Order, type Report, secretBytes } from './messages.ts'
import { SpawnedElsewhere, type Starter } from './spawned-elsewhere.ts'

/** The right to start one process. Given back unused when it is disposed of. */
export interface Place extends Disposable {
  /** Starts a command with stdin empty and that many sockets from descriptor 1 on. What fails is told by the event `error`. */
  launch(command: ConfinedCommand, count: number): SpawnedElsewhere
}

/**
 * The host's side of a small process that starts guests. `spawn()` copies the page tables of the process that calls it, so
 * a host of gigabytes stands still for it; this one stays small. Connections over a unix socket that has no name any more
 * become the descriptors of what it starts.
 */
export class Spawner implements Starter {
  readonly #process: ChildProcess
  readonly #secret = randomBytes(secretBytes)
  readonly #path = new HiddenPath()
  readonly #children = new Map<number, SpawnedElsewhere>()
  readonly #listening = Promise.withResolvers<void>()
  /** Those who wait for a place. */
  readonly #queue: PromiseWithResolvers<void>[] = []
  /** By launch: what is to happen unless the spawner answers. */
  readonly #unheard = new Map<number, NodeJS.Timeout>()
  #taken = 0
  #lastId = 0
  #isRetired = false
  /** Whether it can be asked for more. */
  isAlive = true

  /** @throws when there is no directory for temporary files. */
  constructor() {
    this.#process = spawn(process.execPath, [spawnerEntry], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#process.on('message', (report: Report) => this.#hear(report))
    this.#process.once('error', () => this.#over())
    this.#process.once('exit', () => this.#over())
    this.#order({ kind: 'listen', address: this.#path.address, secret: this.#secret.toString('hex') })
  }

  /** Of the spawner itself. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Waits until another launch can begin. Rejects when the spawner is gone or could not be started. */
  async place(): Promise<Place> {
    await this.#listening.promise
    if (!this.isAlive) throw gone()
    if (this.#taken >= mostPlaces) {
      const turn = Promise.withResolvers<void>()
      this.#queue.push(turn)
      await turn.promise
    } else {
      this.#taken++
    }
    let isUsed = false
    return {
      launch: (command, count) => {
        if (isUsed) throw new Error('A place is for one launch')
        isUsed = true
        return this.#launch(command, count)
      },
      [Symbol.dispose]: () => {
        if (!isUsed) this.#leave()
        isUsed = true
      },
    }
  }

  #launch({ file, args, cwd, env }: ConfinedCommand, count: number): SpawnedElsewhere {
    const id = ++this.#lastId
    const sockets = Array.from({ length: count }, (_, index) => {
      const socket = new Socket()
      // Errors are the stream's end, for those who read it; this is for the others.
      socket.on('error', () => {})
      socket.connect({ path: this.#path.address })
      socket.write(header(this.#secret, id, index + 1))
      return socket
    })
    const child = new SpawnedElsewhere(this, file, args, sockets)
    this.#children.set(id, child)
    this.#order({ kind: 'launch', id, file, args, cwd, env, sockets: count })
    // Or it would wait for the lost one for ever.
    const lost = () => this.#children.has(id) && child.pid === undefined && this.#order({ kind: 'cancel', id })
    for (const socket of sockets) socket.once('close', lost)
    this.refChanged()
    return child
  }

  /** The place goes to whoever waits longest. */
  #leave(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#taken--
    else next.resolve()
  }

  kill(child: SpawnedElsewhere, signal: NodeJS.Signals): boolean {
    const entry = this.#children.entries().find(([, other]) => other === child)
    if (entry === undefined) return false
    const [id] = entry
    this.#order({ kind: 'kill', id, signal })
    // Somebody may have stopped it. What was sent while this process did not look is read before setImmediate() comes.
    const giveUp = () => void setImmediate(() => this.#unheard.has(id) && this.#process.kill('SIGKILL'))
    if (!this.#unheard.has(id)) this.#unheard.set(id, setTimeout(giveUp, patienceMs).unref())
    return true
  }

  refChanged(): void {
    const isNeeded = this.#children.values().some(({ isReferenced }) => isReferenced)
    this.#process.channel?.[isNeeded ? 'ref' : 'unref']()
    // Its end, too: what it has started may be gone before that is told.
    this.#process[isNeeded ? 'ref' : 'unref']()
  }

  #order(order: Order): void {
    // That it is gone is told by its exit.
    if (this.#process.connected) this.#process.send(order, () => {})
  }

  #hear(report: Report): void {
    if (report.kind === 'listening') return this.#hide()
    clearTimeout(this.#unheard.get(report.id))
    this.#unheard.delete(report.id)
    const child = this.#children.get(report.id)
    if (child === undefined || report.kind === 'heard') return
    if (report.kind !== 'exited') this.#leave()
    if (report.kind === 'spawned') return child.spawned(report.pid)
    this.#children.delete(report.id)
    this.refChanged()
    if (report.kind === 'exited') child.exited(report.code, report.signal)
    else child.failed(Object.assign(new Error(report.message), { code: report.code }))
    this.#endIfIdle()
  }

  #hide(): void {
    try {
      this.#path.hide()
    } catch (error) {
      this.#listening.promise.catch(() => {})
      this.#listening.reject(error)
      this.#process.kill()
      return
    }
    this.#order({ kind: 'hidden' })
    this.#listening.resolve()
    this.refChanged()
  }

  /** It takes no more launches, and ends with the last of what it has started. */
  retire(): void {
    this.#isRetired = true
    this.#endIfIdle()
  }

  #endIfIdle(): void {
    if (this.#isRetired && this.#children.size === 0) this.#process.kill()
  }

  /** What it has started ends with it, by the kernel's hand. */
  #over(): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.#path[Symbol.dispose]()
    this.#listening.promise.catch(() => {})
    this.#listening.reject(gone())
    for (const turn of this.#queue.splice(0)) turn.reject(gone())
    for (const timer of this.#unheard.values()) clearTimeout(timer)
    this.#unheard.clear()
    const children = [...this.#children.values()]
    this.#children.clear()
    for (const child of children) {
      if (child.pid === undefined) child.failed(gone())
      else child.exited(null, 'SIGKILL')
    }
  }
}

const gone = () => new Error('the process that starts guests is gone')

/** How many launches may be under way at once: their connections wait in the kernel's queue, which has an end. */
const mostPlaces = 64

/** How long the spawner may take to answer an order to kill before it is ended itself. */
const patienceMs = 5000
