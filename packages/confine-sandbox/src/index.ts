export { Sandbox, type SandboxConstructorOpts } from './sandbox.ts'
export { SandboxPool, type SandboxPoolOptions } from './sandbox-pool.ts'
export { defaultIsolation } from './default-isolation.ts'
export { probe, type ProbeReport } from './probe.ts'
export {
  type Abortable,
  type Budget,
  type CallContext,
  callContext,
  type CallOptions,
  type ClaimOptions,
  type ConfineContainer,
  type ConfineIPC,
  Container,
  type ConsoleEvent,
  type ContainerApi,
  type ContainerClosed,
  type DiagnosticsMessages,
  type ContainerUsage,
  type IsolationReport,
  type PolicyOptions,
  type PoolMessages,
  type PoolOptions,
  type PoolStats,
  resolveRuntime,
  type SandboxEvents,
  type SandboxExecContainerOpts,
  type TimeoutOptions,
} from '@confine-sandbox/core'
export {
  type Assessment,
  type Callback,
  ConfineError,
  type ConsoleLevel,
  type ErrorCode,
  errorCodes,
  type GuestEnd,
  type IsolationBackend,
  type Limits,
  type RemoteStream,
  type RuntimeDescriptor,
  type Usage,
  type Violation,
} from '@confine-sandbox/contract'
