export { type CoreSandboxPoolOptions, type PoolStats, SandboxPool } from './sandbox-pool.ts'
export type { ClaimOptions, PoolOptions } from './pool-options.ts'
export type { PoolMessages } from './pool-channels.ts'
