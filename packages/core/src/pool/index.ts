export { type PoolStats, SandboxPool } from './sandbox-pool.ts'
export type { ClaimOptions, CoreSandboxPoolOptions, PoolOptions } from './pool-options.ts'
export type { PoolMessages } from './pool-channels.ts'
