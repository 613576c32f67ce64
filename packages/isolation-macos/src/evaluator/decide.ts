import type { Expression } from '../sbpl/expression.ts'
import type { Attempt } from './filter.ts'
import { covers } from './operations.ts'
import type { ReadRule } from './read-profile.ts'

/** What Seatbelt would answer, and by which rule. */
export interface Decision {
  readonly action: 'allow' | 'deny'
  /** The signal that comes with a denial. */
  readonly signal?: string
  /** Absent when no rule is about the act: some operations are allowed unless a rule denies them by name. */
  readonly rule?: Expression
}

/** Decides about one act: among the rules that are about it, the last one wins. */
export function decide(rules: readonly ReadRule[], attempt: Attempt): Decision {
  const rule = rules.findLast(({ operations, filters }) => {
    return operations.some((named) => covers(named, attempt.operation)) && (filters.length === 0 || filters.some((one) => one(attempt)))
  })
  if (rule === undefined) return { action: 'allow' }
  const { action, form, signal } = rule
  return { action, rule: form, ...(signal === undefined ? {} : { signal }) }
}
