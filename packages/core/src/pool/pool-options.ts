import { ConfineError } from '@confine-sandbox/contract'
import type { Abortable } from '../abort.ts'
import { checkTimeout } from '../timeouts.ts'

/** What a pool can be told of its own; the options of its sandboxes come on top. */
export interface PoolOptions {
  /** How many guests wait ready for a claim: launched, locked, warmed up, and never used. @default 1 */
  min?: number | undefined
  /** How many guest processes there are at most, in use or not. @default 8, or `min` when that is more */
  max?: number | undefined
  /** How many claims may wait for a guest; one more is refused with ERR_CONFINE_LIMIT. @default 1000 */
  maxWaiting?: number | undefined
  /** How long a claim may wait, milliseconds; `Infinity`: for ever. `claim({ timeoutMs })` sets another for one. @default 30,000 */
  claimTimeoutMs?: number | undefined
  /**
   * How often one tenant may be given the same guest: `release()` keeps it for the tenant until then. A guest never serves
   * two tenants, and a claim that names none gets a guest of its own. @default 1
   */
  maxUses?: number | undefined
  /** A guest that was ready so long ago is replaced, unless it is in use, and not kept after its use; milliseconds. @default Infinity */
  maxAgeMs?: number | undefined
  /** A guest whose processes hold more than this is not kept for its tenant, MiB of resident memory. @default Infinity */
  maxMemoryMiB?: number | undefined
}

/** What a claim can be told. */
export interface ClaimOptions extends Abortable {
  /** Whom the guest serves. Names a trust domain: give a guest that was kept for a name to nobody else. @default nobody again */
  readonly tenant?: string | undefined
  /** Functions and values for this guest, instead of the pool's `globals`. */
  readonly globals?: any
  /** How long to wait for a guest, milliseconds. @default the pool's `claimTimeoutMs` */
  readonly timeoutMs?: number | undefined
}

/** With every default filled in. */
export type CheckedPoolOptions = Readonly<{ [Key in keyof PoolOptions]-?: number }>

/** @throws ERR_CONFINE_BAD_OPTION */
export function checkPoolOptions(options: PoolOptions): CheckedPoolOptions {
  const min = count('min', options.min ?? 1, 0)
  const max = count('max', options.max ?? Math.max(8, min), 1)
  if (max < min) throw bad(`The option max must be at least min: ${max} is less than ${min}`)
  return {
    min,
    max,
    maxWaiting: count('maxWaiting', options.maxWaiting ?? 1000, 0),
    claimTimeoutMs: checkTimeout('claimTimeoutMs', options.claimTimeoutMs ?? 30_000),
    maxUses: count('maxUses', options.maxUses ?? 1, 1),
    maxAgeMs: checkTimeout('maxAgeMs', options.maxAgeMs ?? Number.POSITIVE_INFINITY),
    maxMemoryMiB: options.maxMemoryMiB === undefined ? Number.POSITIVE_INFINITY : count('maxMemoryMiB', options.maxMemoryMiB, 1),
  }
}

/** @throws ERR_CONFINE_BAD_OPTION */
export function checkTenant(tenant: unknown): string | undefined {
  if (tenant === undefined || (typeof tenant === 'string' && tenant !== '')) return tenant
  throw bad('The option tenant must be a string that is not empty')
}

function count(name: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw bad(`The option ${name} must be a whole number from ${least} to ${most}`)
}

const most = 1_000_000

function bad(message: string): ConfineError {
  return new ConfineError('ERR_CONFINE_BAD_OPTION', message)
}
