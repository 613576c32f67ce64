import { Container, type ContainerClosed, type ContainerHost } from './container.ts'

/** A container in the host's table: what the user holds, what is under way in it, and how its sandbox closes it. */
export class OpenContainer {
  readonly container: Container
  /** Whether its program has loaded. */
  isLoaded = false
  /** Calls of the host so far. */
  calls = 0
  /** Calls of the guest so far. */
  hostCalls = 0
  readonly madeAt = performance.now()
  readonly #closed: (closed: ContainerClosed) => void
  #underWay = 0
  #idleTimer: NodeJS.Timeout | undefined
  /** Starts the timer of the idle time again. */
  #watch: ((restMs?: number) => void) | undefined

  constructor(host: ContainerHost, cid: number, options: Readonly<Record<string, unknown>>) {
    const { promise, resolve } = Promise.withResolvers<ContainerClosed>()
    this.container = new Container(host, cid, options, promise)
    this.#closed = resolve
  }

  get cid(): number {
    return this.container.cid
  }

  /**
   * Its program has loaded; `idle` is called when for so long no call was under way and no item of a stream crossed.
   * @param lastStreamed When one last did; now while the host waits for one.
   */
  loaded(idleTimeoutMs: number, lastStreamed: () => number, idle: () => void): void {
    this.isLoaded = true
    if (idleTimeoutMs === Number.POSITIVE_INFINITY) return
    this.#watch = (restMs = idleTimeoutMs) => {
      clearTimeout(this.#idleTimer)
      this.#idleTimer = setTimeout(() => {
        // The last call to come back starts it again.
        if (this.#underWay > 0) return
        const stillMs = lastStreamed() + idleTimeoutMs - performance.now()
        if (stillMs > 0) this.#watch?.(Math.ceil(stillMs))
        else idle()
      }, restMs).unref()
    }
    this.#watch()
  }

  /** A call of the host is under way. */
  begin(): void {
    this.#underWay++
  }

  /** It came back, or is not waited for any more. */
  end(): void {
    this.#underWay--
    if (this.#underWay === 0) this.#watch?.()
  }

  /** Settles the container's `closed`. */
  close(closed: ContainerClosed): void {
    clearTimeout(this.#idleTimer)
    this.#watch = undefined
    this.#closed(closed)
  }
}
