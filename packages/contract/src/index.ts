export { ConfineError, errorCodes, type ConfineErrorOptions, type ErrorCode } from './errors.ts'
export { describeEnd, type EndReason, type GuestEnd, type Usage } from './end.ts'
export type { Violation } from './violation.ts'
export { defaultLimits, defaultPolicy, type BootLink, type Limits, type OnViolation, type Policy } from './policy.ts'
export {
  policyParts,
  type Assessment,
  type Command,
  type ConfinedCommand,
  type Hold,
  type IsolationBackend,
  type IsolationEvent,
  type MissingLayer,
  type PolicyPart,
  type ReportReader,
  type StartEnd,
  type StartFailure,
  type IsolationTier,
  type Walls,
  type WrapperDescriptor,
} from './isolation.ts'
export { released, type Callback, type RemoteStream } from './reference.ts'
export { readApiDescription } from './api-description.ts'
export { consoleLevels, type ConsoleLevel } from './console.ts'
export type { Channel, ChannelReceiver } from './channel.ts'
export { gatheredPath, type GatheredModule, type ModuleGraph } from './module-graph.ts'
export {
  defaultRuntimeManifest,
  type ApiChild,
  type ApiDescription,
  type GatheredModules,
  type Runtime,
  type RuntimeClass,
  type RuntimeDescriptor,
  type RuntimeManifest,
  type RuntimeOptions,
  type GuestFacts,
  type RuntimeUsage,
} from './runtime.ts'
export { APIDescription, APIMethod, APIObject, AbstractConfineRuntime, MethodNotFound } from './abstract-runtime.ts'
