export { linux, type LinuxOptions } from './linux.ts'
export type { CgroupParent } from './cgroup-parents.ts'
export type { Machine } from './machine.ts'
export { syscallSummary, type SyscallSummary } from './syscall-summary.ts'
export type { FilterPolicy } from './syscall-rules.ts'
export type { Architecture } from './syscall-numbers.ts'
export { probe, type ProbeOptions } from './probe/probe.ts'
export {
  findingIds,
  tiers,
  type Cause,
  type Finding,
  type FindingId,
  type Libc,
  type ProbeReport,
  type ProbeStatus,
  type Surrounding,
  type SurroundingKind,
  type Tier,
} from './probe/report.ts'
