export { Sandbox, type SandboxConstructorOpts } from './sandbox.ts'
export { defaultIsolation } from './default-isolation.ts'
export {
  type CallOptions,
  type ConfineContainer,
  type ConfineIPC,
  Container,
  type ContainerClosed,
  type IsolationReport,
  resolveRuntime,
  type SandboxEvents,
  type SandboxExecContainerOpts,
} from '@confine-sandbox/core'
export {
  type Assessment,
  ConfineError,
  type ErrorCode,
  errorCodes,
  type GuestEnd,
  type IsolationBackend,
  type RuntimeDescriptor,
  type Violation,
} from '@confine-sandbox/contract'
