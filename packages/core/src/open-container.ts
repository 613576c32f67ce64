import { Container, type ContainerClosed, type ContainerHost } from './container.ts'

/** A container in the host's table: what the user holds, and how its sandbox closes it. */
export class OpenContainer {
  readonly container: Container
  /** Settles the container's `closed`. */
  readonly close: (closed: ContainerClosed) => void
  /** Whether its program has loaded. */
  isLoaded = false

  constructor(host: ContainerHost, cid: number, options: Readonly<Record<string, unknown>>) {
    const { promise, resolve } = Promise.withResolvers<ContainerClosed>()
    this.container = new Container(host, cid, options, promise)
    this.close = resolve
  }
}
