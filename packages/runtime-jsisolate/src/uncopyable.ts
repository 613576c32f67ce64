import { ConfineError } from '@confine-sandbox/contract'

/** Says it in the words of the call channel where the reason has a place, and in the reason's own otherwise. */
export function uncopyable(what: string, why: string): ConfineError {
  return new ConfineError('ERR_CONFINE_VALUE', why.endsWith('cannot cross between host and guest') ? why : `${what}: ${why}`)
}

/** Why something could not be copied. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
