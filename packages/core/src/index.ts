export { type ConfineContainer, type ConfineIPC, Sandbox } from './sandbox.ts'
export type { IsolationReport } from './isolation-report.ts'
export type { ConsoleEvent } from './console-events.ts'
export type { SandboxEvents } from './events.ts'
export type { DiagnosticsMessages } from './diagnostics.ts'
export type { Abortable } from './abort.ts'
export type { Transport } from './transport.ts'
export { type CallContext, callContext } from './call-context.ts'
export type { Budget, TimeoutOptions } from './timeouts.ts'
export { type CallOptions, Container, type ContainerClosed, type ContainerUsage } from './container.ts'
export type { ContainerApi } from './container-api.ts'
export type { SandboxExecContainerOpts } from './exec-options.ts'
export { type CheckedOptions, type CoreSandboxOptions, defaultOptions } from './options.ts'
export { checkOptionNames } from './option-names.ts'
export { nearestName } from './nearest-name.ts'
export type { CheckedPolicy, PolicyOptions } from './policy.ts'
export {
  type ClaimOptions,
  type CoreSandboxPoolOptions,
  type PoolMessages,
  type PoolOptions,
  type PoolStats,
  SandboxPool,
} from './pool/index.ts'
export { resolveRuntime } from './resolve-runtime.ts'
export { declareGlobals } from './declarations.ts'
export { hostFunction, type HostFunctionOptions } from './host-function.ts'
export type { HostFunctionFailure } from './host-functions.ts'
export type { SchemaIssue, SchemaOutput, SchemaResult, StandardSchema } from './standard-schema.ts'
