import { ConfineError } from '@confine-sandbox/contract'
import { abortError } from '../abort.ts'

/** Somebody who waits for a guest. */
export interface Waiting<Guest> {
  readonly tenant: string | undefined
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  give(guest: Guest): void
  refuse(error: Error): void
}

/**
 * Claims that wait. Tenants take turns, whoever asks more often, and within a tenant it is first come, first served; those
 * without a name are one tenant in this. A claim leaves when it is given a guest, aborted or late.
 */
export class ClaimQueue<Guest> {
  readonly #lanes = new Map<string | undefined, Set<Waiting<Guest>>>()
  #size = 0

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** Waits for a guest. @throws ERR_CONFINE_ABORTED, ERR_CONFINE_TIMEOUT, or what `refuseAll` is given. */
  wait({ tenant, signal, timeoutMs }: Pick<Waiting<Guest>, 'tenant' | 'signal' | 'timeoutMs'>): Promise<Guest> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(deadline)
        signal?.removeEventListener('abort', abort)
        this.#remove(waiting)
      }
      const waiting: Waiting<Guest> = {
        tenant,
        signal,
        timeoutMs,
        give(guest) {
          leave()
          resolve(guest)
        },
        refuse(error) {
          leave()
          reject(error)
        },
      }
      const abort = () => waiting.refuse(abortError(signal as AbortSignal))
      const late = () => waiting.refuse(new ConfineError('ERR_CONFINE_TIMEOUT', `No guest of the pool was free for ${timeoutMs} ms`))
      const deadline = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(late, timeoutMs)
      signal?.addEventListener('abort', abort, { once: true })
      this.#add(waiting)
    })
  }

  /** Whose turn it is. Stays in the queue until it is given or refused. */
  next(): Waiting<Guest> | undefined {
    const [lane] = this.#lanes.values()
    return lane?.values().next().value
  }

  refuseAll(error: Error): void {
    for (const lane of [...this.#lanes.values()]) for (const waiting of [...lane]) waiting.refuse(error)
  }

  #add(waiting: Waiting<Guest>): void {
    const lane = this.#lanes.get(waiting.tenant) ?? new Set()
    lane.add(waiting)
    this.#lanes.set(waiting.tenant, lane)
    this.#size++
  }

  #remove(waiting: Waiting<Guest>): void {
    const lane = this.#lanes.get(waiting.tenant)
    if (lane === undefined || !lane.delete(waiting)) return
    this.#size--
    // The tenant's next turn comes after all others'.
    this.#lanes.delete(waiting.tenant)
    if (lane.size > 0) this.#lanes.set(waiting.tenant, lane)
  }
}
