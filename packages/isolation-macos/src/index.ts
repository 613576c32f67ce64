export { macos } from './macos.ts'
export type { MacosOptions } from './settings.ts'
export { probe } from './probe/probe.ts'
export {
  macosFindingIds,
  type MacosCause,
  type MacosFinding,
  type MacosFindingId,
  type MacosProbeReport,
  type MacosSurrounding,
} from './probe/report.ts'
export { explainStart } from './explain-start.ts'
export type { Host } from './host.ts'
export { readProfile, type ReadRule } from './evaluator/read-profile.ts'
export { decide, type Decision } from './evaluator/decide.ts'
export type { Attempt, Filter } from './evaluator/filter.ts'
export type { Expression, Quoted } from './sbpl/expression.ts'
