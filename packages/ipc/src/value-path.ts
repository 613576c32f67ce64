import { ConfineError } from '@confine-sandbox/contract'

/** One step from a value to a part of it: an index, a key, or text for the rest. */
export type Step = number | string | { readonly text: string }

/** Where a value stands, as its program would write it: `params[0].user.socket`. */
export function pathText(trail: readonly Step[], levels: number): string {
  return trail.slice(0, levels).map(stepText).join('')
}

/** The error for a value that cannot cross. */
export function cannotCross(path: string, what: string): ConfineError {
  return new ConfineError('ERR_CONFINE_VALUE', `${path}: ${what} cannot cross between host and guest`)
}

function stepText(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'object') return step.text
  return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
}
