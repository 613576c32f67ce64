import { guestMethod } from '@confine-sandbox/guest'
import { residentMiB } from '../resident-memory.ts'
import { isLoading, type Sandbox } from '../sandbox.ts'

/** One guest of a pool. */
export class PooledGuest {
  readonly sandbox: Sandbox
  /** Whom it serves: nobody yet, a name, or somebody without one. Set once. */
  tenant: string | undefined
  /** How often it was given out. */
  uses = 0
  #ready = performance.now()

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox
  }

  /** Since it was ready. */
  get ageMs(): number {
    return performance.now() - this.#ready
  }

  get isAlive(): boolean {
    return this.sandbox.guestEnd === undefined && this.sandbox.isGuestProcessActive
  }

  /**
   * Launches it, and sends what a claim will send, so that both sides have compiled what they need for it.
   * @returns How long that took, milliseconds.
   */
  async launch(): Promise<number> {
    const launched = this.#ready
    await this.sandbox.init()
    const request = { cid: 0, source: 'exports.add = (a, b) => a + b', options: {}, functions: ['add'], values: [['name', true]] }
    for (let i = 0; i < exercises; i++) await this.sandbox.ipc?.request(0, guestMethod.ping, [request])
    this.#ready = performance.now()
    return this.#ready - launched
  }

  /** Closes what is in it. Returns whether the process can serve its tenant again. */
  async clear(maxMemoryMiB: number): Promise<boolean> {
    for (const { cid } of await this.sandbox.listContainers()) await this.sandbox.killContainer({ cid })
    // Those of the sandbox itself stay: by them it knows whether somebody listens to its console.
    for (const name of this.sandbox.eventNames()) if (!ownEvents.has(String(name))) this.sandbox.removeAllListeners(name)
    // What is still on its way in would run with the globals of the next claim.
    if (!this.isAlive || isLoading(this.sandbox)) return false
    if (maxMemoryMiB === Number.POSITIVE_INFINITY) return true
    const resident = residentMiB(this.sandbox.guestProcess?.pid ?? 0)
    // What cannot be measured is taken for too much.
    return resident !== undefined && resident <= maxMemoryMiB
  }

  /** Whether this process stays alive for the guest's sake. One that only waits for a claim does not keep its host. */
  keepHost(isKeeping: boolean): void {
    const { guestProcess } = this.sandbox
    const way = isKeeping ? 'ref' : 'unref'
    guestProcess?.[way]()
    for (const stream of guestProcess?.stdio ?? []) (stream as Partial<NodeJS.RefCounted> | null)?.[way]?.()
  }
}

/** The second time finds compiled what the first one had compiled. */
const exercises = 3

const ownEvents: ReadonlySet<string> = new Set(['newListener', 'removeListener'])
