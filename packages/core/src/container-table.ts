import { ConfineError } from '@confine-sandbox/contract'
import type { Container, ContainerClosed, ContainerHost } from './container.ts'
import { OpenContainer } from './open-container.ts'
import { show } from './show.ts'

/** The open containers of a sandbox, by ids that the host gives out. What the guest says is compared with it. */
export class ContainerTable {
  readonly #host: ContainerHost
  readonly #open = new Map<number, OpenContainer>()
  readonly #closed: (closed: ContainerClosed) => void
  /** How the last ones closed, for those who call them still. */
  readonly #endings = new Map<number, string>()
  #lastCid = 0
  #mostAtOnce = 0

  /** @param closed is told of every container that closed. */
  constructor(host: ContainerHost, closed: (closed: ContainerClosed) => void) {
    this.#host = host
    this.#closed = closed
  }

  get size(): number {
    return this.#open.size
  }

  /** How many there were at once, at most. */
  get mostAtOnce(): number {
    return this.#mostAtOnce
  }

  get loadingCount(): number {
    let count = 0
    for (const { isLoaded } of this.#open.values()) if (!isLoaded) count++
    return count
  }

  /** Every cid, of those that are still loading, too. */
  get cids(): number[] {
    return [...this.#open.keys()]
  }

  get loaded(): Container[] {
    return [...this.#open.values()].filter(({ isLoaded }) => isLoaded).map(({ container }) => container)
  }

  add(options: Readonly<Record<string, unknown>>): OpenContainer {
    const open = new OpenContainer(this.#host, ++this.#lastCid, options)
    this.#open.set(open.cid, open)
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#open.size)
    return open
  }

  get(cid: number): OpenContainer | undefined {
    return this.#open.get(cid)
  }

  /** @throws ERR_CONFINE_CONTAINER_NOT_FOUND */
  require(cid: number): OpenContainer {
    const open = this.#open.get(cid)
    if (open !== undefined) return open
    const how = this.#endings.get(cid)
    const why = how === undefined ? '' : `: it ${how}`
    throw new ConfineError('ERR_CONFINE_CONTAINER_NOT_FOUND', `The sandbox has no open container ${show(cid)}${why}`)
  }

  /** Whether there ever was such a container. */
  knows(cid: number): boolean {
    return cid >= 1 && cid <= this.#lastCid
  }

  /** Takes out a container that never was open. */
  forget(cid: number): void {
    this.#open.delete(cid)
  }

  /** Closes a container; does nothing when it has closed already. */
  close(closed: ContainerClosed): void {
    const open = this.#open.get(closed.cid)
    if (open === undefined) return
    this.#open.delete(closed.cid)
    this.#endings.set(closed.cid, howItClosed(closed).slice(0, 300))
    if (this.#endings.size > keptEndings) this.#endings.delete(this.#endings.keys().next().value as number)
    open.close(closed)
    this.#closed(closed)
  }
}

/** For those who wait for a container that has closed. */
export function containerClosed(closed: ContainerClosed): ConfineError {
  const { cid, error } = closed
  const options = { fields: { cid }, ...(error === undefined ? {} : { cause: error }) }
  return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', `Container ${cid} ${howItClosed(closed)}`, options)
}

function howItClosed({ exitCode, error }: ContainerClosed): string {
  if (error !== undefined) return `was ended: ${error.message}`
  return exitCode === 0 ? 'was closed' : `exited with code ${exitCode}`
}

const keptEndings = 100
