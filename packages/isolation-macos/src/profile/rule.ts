import { type Expression, print } from '../sbpl/expression.ts'
import type { Source } from './sources.ts'

/** One rule of a profile, with the reason it stands there and who says so. */
export interface Rule {
  readonly why: string
  readonly sources: readonly Source[]
  readonly form: Expression
}

/**
 * `(allow operation… filter…)`: what any one of the filters matches is allowed.
 * @throws TypeError without a filter, because such a rule would allow the operation on everything.
 */
export function allow(why: string, from: readonly Source[], operations: readonly string[], filters: readonly Expression[]): Rule {
  if (filters.length === 0) throw new TypeError(`Cannot allow ${operations.join(', ')} without a filter.`)
  return { why, sources: from, form: ['allow', ...operations, ...filters] }
}

/** `(deny operation… modifier…)`. All denials stand before all allowances, so that the order of the rest decides nothing. */
export function deny(why: string, from: readonly Source[], operations: readonly string[], modifiers: readonly Expression[] = []): Rule {
  return { why, sources: from, form: ['deny', ...operations, ...modifiers] }
}

/** The text of a profile. The comments go to sandbox-exec with it: what was reviewed is what runs. */
export function printRules(rules: readonly Rule[]): string {
  return ['(version 1)\n', ...rules.map(printRule)].join('\n')
}

function printRule({ why, sources, form }: Rule): string {
  return `; ${why} [${sources.join(', ')}]\n${print(form)}\n`
}
