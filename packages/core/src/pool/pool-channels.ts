import { channel } from 'node:diagnostics_channel'
import type { SandboxPool } from './sandbox-pool.ts'

/**
 * What a pool tells on `node:diagnostics_channel`, by channel: `confine-sandbox:pool:launched` and so on. Every message has
 * the `pool`.
 */
export interface PoolMessages {
  /** A guest is ready and waits. */
  launched: { milliseconds: number }
  /** A guest could not be made ready. */
  'launch-failed': { error: Error }
  /** A guest was given out. */
  claimed: { waitMs: number; tenant: string | undefined; uses: number }
  /** A claim was not served: refused at once, aborted, or late. */
  refused: { error: Error; tenant: string | undefined }
  /** A guest was given back and is kept for its tenant. */
  kept: { tenant: string }
  /** A guest process of the pool is gone, of whatever cause. */
  ended: { uses: number; wasClaimed: boolean; exitCode: number }
}

/** Tells whoever has subscribed. */
export function tell<Name extends keyof PoolMessages>(pool: SandboxPool, name: Name, message: () => PoolMessages[Name]): void {
  const { hasSubscribers, publish } = channels[name]
  if (hasSubscribers) publish.call(channels[name], { pool, ...message() })
}

const channels = {
  launched: channel('confine-sandbox:pool:launched'),
  'launch-failed': channel('confine-sandbox:pool:launch-failed'),
  claimed: channel('confine-sandbox:pool:claimed'),
  refused: channel('confine-sandbox:pool:refused'),
  kept: channel('confine-sandbox:pool:kept'),
  ended: channel('confine-sandbox:pool:ended'),
}
