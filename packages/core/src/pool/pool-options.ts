import { ConfineError } from '@confine-sandbox/contract'
import type { Abortable } from '../abort.ts'
import { checkOptionNames } from '../option-names.ts'
import type { CoreSandboxOptions } from '../options.ts'
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

/** Options of a core SandboxPool: its own, and those of all its sandboxes. */
export interface CoreSandboxPoolOptions extends PoolOptions, CoreSandboxOptions {}

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

/**
 * Checks what is the pool's own, and leaves what is its sandboxes' to them. What is neither is refused: a bound that is misspelled would hold nobody.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkPoolOptions(options: CoreSandboxPoolOptions): { pool: CheckedPoolOptions; sandbox: CoreSandboxOptions } {
  if (typeof options !== 'object' || options === null) throw bad('The options of a pool must be an object with at least a runtime')
  const { min: givenMin, max: givenMax, maxWaiting, claimTimeoutMs, maxUses, maxAgeMs, maxMemoryMiB, ...sandbox } = options
  checkOptionNames(sandbox, poolNames)
  const min = count('min', givenMin ?? 1, 0)
  const max = count('max', givenMax ?? Math.max(8, min), 1)
  if (max < min) throw bad(`The option max must be at least min: ${max} is less than ${min}`)
  const pool = {
    min,
    max,
    maxWaiting: count('maxWaiting', maxWaiting ?? 1000, 0),
    claimTimeoutMs: checkTimeout('claimTimeoutMs', claimTimeoutMs ?? 30_000),
    maxUses: count('maxUses', maxUses ?? 1, 1),
    maxAgeMs: checkTimeout('maxAgeMs', maxAgeMs ?? Number.POSITIVE_INFINITY),
    maxMemoryMiB: maxMemoryMiB === undefined ? Number.POSITIVE_INFINITY : count('maxMemoryMiB', maxMemoryMiB, 1),
  }
  return { pool, sandbox }
}

const poolNames = Object.keys({
  min: true,
  max: true,
  maxWaiting: true,
  claimTimeoutMs: true,
  maxUses: true,
  maxAgeMs: true,
  maxMemoryMiB: true,
} satisfies Record<keyof PoolOptions, true>)

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
