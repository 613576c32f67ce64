import { ConfineError } from '@confine-sandbox/contract'
import { abortError, checkSignal } from '../abort.ts'
import { type FlatGlobals, flattenGlobals } from '../globals.ts'
import type { CoreSandboxOptions } from '../options.ts'
import { giveGlobals, Sandbox } from '../sandbox.ts'
import { checkTimeout } from '../timeouts.ts'
import { ClaimQueue, type Waiting } from './claim-queue.ts'
import { tell } from './pool-channels.ts'
import { type CheckedPoolOptions, type ClaimOptions, checkPoolOptions, checkTenant, type CoreSandboxPoolOptions } from './pool-options.ts'
import { PooledGuest } from './pooled-guest.ts'

/** How many guests a pool has, and how many wait for one. */
export interface PoolStats {
  /** Guests that are ready and were never given out. */
  readonly warm: number
  /** Guests that are being launched. */
  readonly launching: number
  /** Guests that are given out. */
  readonly claimed: number
  /** Guests that were given back and are kept for their tenants. */
  readonly kept: number
  /** Claims that wait. */
  readonly waiting: number
}

/**
 * Keeps guest processes ready: launched, locked and warmed up, with nothing untrusted in them yet. Each serves one tenant
 * and ends with it. Warm guests do not keep this process alive.
 */
export class SandboxPool implements AsyncDisposable {
  readonly #options: CheckedPoolOptions
  readonly #sandboxOptions: CoreSandboxOptions
  readonly #globals: FlatGlobals
  readonly #queue = new ClaimQueue<PooledGuest>()
  /** All whose process is there, or on its way in or out. */
  readonly #guests = new Set<PooledGuest>()
  readonly #warm = new Set<PooledGuest>()
  readonly #launching = new Set<PooledGuest>()
  readonly #claimed = new Map<Sandbox, PooledGuest>()
  /** Given back, oldest first. */
  readonly #kept = new Set<PooledGuest>()
  /** Retired to make room for who waits. */
  readonly #leaving = new Set<PooledGuest>()
  /** Made to check the options; the first to be launched. */
  #first: Sandbox | undefined
  #refill: NodeJS.Timeout | undefined
  #failures = 0
  #closed: ConfineError | undefined
  #whenEmpty: (() => void) | undefined

  /** Launches the first guests at once. @throws ERR_CONFINE_BAD_OPTION */
  constructor(options: CoreSandboxPoolOptions) {
    const { pool, sandbox } = checkPoolOptions(options)
    this.#options = pool
    this.#sandboxOptions = { ...sandbox, standby: true }
    // A wrong option is told now and to the caller, not to the first who claims.
    this.#first = this.makeSandbox(this.#sandboxOptions)
    this.#globals = flattenGlobals(options.globals)
    this.#grow()
  }

  get stats(): PoolStats {
    return {
      warm: this.#warm.size,
      launching: this.#launching.size,
      claimed: this.#claimed.size,
      kept: this.#kept.size,
      waiting: this.#queue.size,
    }
  }

  /**
   * Gives a sandbox in which nothing of another tenant ever ran: a warm one, at once, or when one is free. It is the
   * caller's until it is torn down (`await using` does that) or given back with `release()`.
   * @throws ERR_CONFINE_LIMIT when too many wait already, ERR_CONFINE_TIMEOUT, ERR_CONFINE_ABORTED, ERR_CONFINE_TORN_DOWN when the
   *   pool is closed, ERR_CONFINE_BAD_OPTION, and what `Sandbox.init()` throws when no guest can be launched.
   */
  async claim(options: ClaimOptions = {}): Promise<Sandbox> {
    const tenant = checkTenant(options.tenant)
    const signal = checkSignal(options.signal)
    const timeoutMs = checkTimeout('timeoutMs', options.timeoutMs ?? this.#options.claimTimeoutMs)
    const globals = options.globals === undefined ? this.#globals : flattenGlobals(options.globals)
    const asked = performance.now()
    try {
      if (signal?.aborted) throw abortError(signal)
      const guest = this.#takeNow(tenant) ?? (await this.#takeLater(tenant, signal, timeoutMs))
      guest.uses++
      // Also for a tenant who comes back: what a claim gave is not the next claim's.
      giveGlobals(guest.sandbox, globals)
      tell(this, 'claimed', () => ({ waitMs: performance.now() - asked, tenant, uses: guest.uses }))
      return guest.sandbox
    } catch (error) {
      tell(this, 'refused', () => ({ error: error as Error, tenant }))
      this.#lookIfEmpty()
      throw error
    }
  }

  /**
   * Gives a sandbox back. Its containers are closed; where the claim named a tenant, and the guest may be used again and
   * outlives its containers, it is kept for that tenant. Otherwise it is torn down.
   * @throws ERR_CONFINE_BAD_OPTION for a sandbox that was not claimed from this pool, or was given back already.
   */
  async release(sandbox: Sandbox): Promise<void> {
    const guest = this.#claimed.get(sandbox)
    if (guest === undefined) {
      // It ended while it was the caller's: there is nothing left to give back.
      if (sandbox instanceof Sandbox && sandbox.guestEnd !== undefined) return
      throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'This sandbox was not claimed from this pool, or was given back already')
    }
    this.#claimed.delete(sandbox)
    // The pool may have closed since it was found to be reusable, and looks for idle guests no more.
    if (!(await this.#isReusable(guest)) || this.#closed !== undefined) {
      await sandbox.teardown()
      return
    }
    const tenant = guest.tenant as string
    tell(this, 'kept', () => ({ tenant }))
    const waiting = this.#queue.next()
    if (waiting?.tenant === tenant) {
      this.#give(waiting, guest)
      return
    }
    this.#kept.add(guest)
    guest.keepHost(false)
    this.#grow()
  }

  /** Takes no further claims, serves those that wait, and resolves when every sandbox was given back or torn down. */
  async drain(): Promise<void> {
    this.#close('The pool is being drained and takes no further claims')
    this.#endIdle()
    await this.#emptied()
  }

  /** Ends every guest, those that are given out too; claims that wait are refused. Calling it again waits for the same end. */
  async close(): Promise<void> {
    this.#close('The pool was closed. Make a new one')
    this.#queue.refuseAll(this.#closed as ConfineError)
    for (const guest of [...this.#guests]) this.#retire(guest)
    await this.#emptied()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Makes a sandbox of this pool. A subclass may make its own. */
  protected makeSandbox(options: CoreSandboxOptions): Sandbox {
    return new Sandbox(options)
  }

  #takeNow(tenant: string | undefined): PooledGuest | undefined {
    if (this.#closed !== undefined) throw this.#closed
    const own = tenant === undefined ? undefined : this.#keptFor(tenant)
    if (own !== undefined) return this.#claimNow(own, tenant)
    // Who came first is served first.
    if (this.#queue.size > 0) return undefined
    const warm = this.#nextWarm()
    return warm === undefined ? undefined : this.#claimNow(warm, tenant)
  }

  #takeLater(tenant: string | undefined, signal: AbortSignal | undefined, timeoutMs: number): Promise<PooledGuest> {
    if (this.#queue.size >= this.#options.maxWaiting) {
      throw new ConfineError('ERR_CONFINE_LIMIT', `${this.#queue.size} claims wait for a guest of the pool already. Claim again later`)
    }
    const taken = this.#queue.wait({ tenant, signal, timeoutMs })
    this.#grow()
    return taken
  }

  #claimNow(guest: PooledGuest, tenant: string | undefined): PooledGuest {
    this.#claim(guest, tenant)
    this.#refillSoon()
    return guest
  }

  #give(waiting: Waiting<PooledGuest>, guest: PooledGuest): void {
    this.#claim(guest, waiting.tenant)
    waiting.give(guest)
    // Not before: for who waits a guest would be launched, and another one given.
    this.#refillSoon()
  }

  #claim(guest: PooledGuest, tenant: string | undefined): void {
    this.#warm.delete(guest)
    this.#kept.delete(guest)
    guest.tenant = tenant
    this.#claimed.set(guest.sandbox, guest)
    guest.keepHost(true)
  }

  #keptFor(tenant: string): PooledGuest | undefined {
    for (const guest of [...this.#kept]) {
      if (guest.tenant !== tenant) continue
      if (guest.isAlive && !this.#isTooOld(guest)) return guest
      this.#retire(guest)
    }
    return undefined
  }

  #nextWarm(): PooledGuest | undefined {
    for (const guest of [...this.#warm]) {
      if (guest.isAlive && !this.#isTooOld(guest)) return guest
      this.#retire(guest)
    }
    return undefined
  }

  async #isReusable(guest: PooledGuest): Promise<boolean> {
    const { maxUses, maxMemoryMiB } = this.#options
    if (guest.tenant === undefined || this.#closed !== undefined || guest.uses >= maxUses || this.#isTooOld(guest)) return false
    try {
      return (await guest.clear(maxMemoryMiB)) && this.#closed === undefined
    } catch {
      return false
    }
  }

  #isTooOld(guest: PooledGuest): boolean {
    return guest.ageMs > this.#options.maxAgeMs
  }

  /** After a claim: its own work comes first, the next guest can wait for some milliseconds. */
  #refillSoon(): void {
    if (this.#queue.size > 0) this.#grow()
    else this.#refill ??= setTimeout(() => this.#grow(), refillDelayMs * 2 ** Math.min(this.#failures, 10)).unref()
  }

  /** Serves who waits with what is ready, and launches what is missing. */
  #grow(): void {
    clearTimeout(this.#refill)
    this.#refill = undefined
    this.#serve()
    const { min, max } = this.#options
    const wanted = this.#queue.size + (this.#closed === undefined ? min : 0)
    while (this.#warm.size + this.#launching.size < wanted && this.#launching.size < maxLaunching && this.#guests.size < max) this.#launch()
    // Who waits goes before who may come back: guests that were kept longest end, and their places are free when they are gone.
    while (this.#kept.size > 0 && this.#launching.size + this.#leaving.size < this.#queue.size && this.#guests.size >= max) {
      const [oldest] = this.#kept
      if (oldest !== undefined) this.#retire(oldest)
    }
  }

  #serve(): void {
    while (this.#queue.size > 0) {
      const guest = this.#nextWarm()
      if (guest === undefined) return
      this.#give(this.#queue.next() as Waiting<PooledGuest>, guest)
    }
  }

  #retire(guest: PooledGuest): void {
    this.#warm.delete(guest)
    this.#kept.delete(guest)
    this.#leaving.add(guest)
    guest.keepHost(true)
    void guest.sandbox.teardown()
  }

  /** So that it is replaced before somebody claims it. */
  #retireInTime(guest: PooledGuest): void {
    const { maxAgeMs } = this.#options
    if (maxAgeMs === Number.POSITIVE_INFINITY) return
    const retire = () => {
      if (this.#warm.has(guest) || this.#kept.has(guest)) this.#retire(guest)
    }
    const timer = setTimeout(retire, maxAgeMs).unref()
    void guest.sandbox.whenGuestProcessClosed.then(() => clearTimeout(timer))
  }

  #launch(): void {
    const guest = new PooledGuest(this.#first ?? this.makeSandbox(this.#sandboxOptions))
    this.#first = undefined
    this.#guests.add(guest)
    this.#launching.add(guest)
    guest.launch().then(
      (milliseconds) => this.#launched(guest, milliseconds),
      (error: Error) => this.#launchFailed(guest, error),
    )
    void guest.sandbox.whenGuestProcessClosed.then((exitCode) => this.#ended(guest, exitCode))
  }

  #launched(guest: PooledGuest, milliseconds: number): void {
    this.#launching.delete(guest)
    this.#failures = 0
    if (!guest.isAlive) return
    tell(this, 'launched', () => ({ milliseconds }))
    this.#warm.add(guest)
    guest.keepHost(false)
    this.#retireInTime(guest)
    this.#grow()
    if (this.#closed !== undefined) this.#endIdle()
  }

  /** Where guests cannot be launched, nobody waits in vain: each failure is told to one who waits. */
  #launchFailed(guest: PooledGuest, error: Error): void {
    this.#launching.delete(guest)
    this.#failures++
    tell(this, 'launch-failed', () => ({ error }))
    this.#queue.next()?.refuse(error)
    void guest.sandbox.teardown()
  }

  #ended(guest: PooledGuest, exitCode: number): void {
    const wasClaimed = this.#claimed.delete(guest.sandbox)
    this.#guests.delete(guest)
    this.#launching.delete(guest)
    this.#warm.delete(guest)
    this.#kept.delete(guest)
    this.#leaving.delete(guest)
    tell(this, 'ended', () => ({ uses: guest.uses, wasClaimed, exitCode }))
    this.#refillSoon()
    this.#lookIfEmpty()
  }

  #lookIfEmpty(): void {
    // Who waited may have gone without a guest.
    if (this.#closed !== undefined) this.#endIdle()
    if (this.#guests.size === 0 && this.#queue.size === 0) this.#whenEmpty?.()
  }

  #close(message: string): void {
    this.#closed ??= new ConfineError('ERR_CONFINE_TORN_DOWN', message)
    clearTimeout(this.#refill)
  }

  #endIdle(): void {
    if (this.#queue.size > 0) return
    for (const guest of [...this.#warm, ...this.#kept]) this.#retire(guest)
  }

  async #emptied(): Promise<void> {
    if (this.#guests.size === 0 && this.#queue.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#whenEmpty
    this.#whenEmpty = () => {
      before?.()
      resolve()
    }
    await promise
  }
}

/** So long the claim's own work has the machine for itself. Doubled after each launch that failed. */
const refillDelayMs = 10

/** More at once would each take longer, and the first of them too. */
const maxLaunching = 4
