import { ConfineError } from '@confine-sandbox/contract'

/** How much one program may make the host read. Over any of them it does not start: ERR_CONFINE_LIMIT. */
export const graphLimits = Object.freeze({
  /** Modules of one program. */
  modules: 5000,
  /** Size of one of them. */
  moduleMiB: 12,
  /** Size of all together. */
  totalMiB: 24,
  /** Size of one package.json, which is parsed. */
  manifestMiB: 1,
  /** Size of all of them together. */
  manifestsMiB: 8,
  /** Directories below a root: the way through those above a file is taken for every name. */
  depth: 100,
  /** Names that the CommonJS modules export which ES modules import, all together. */
  exports: 500_000,
  /** How long it may take; a hostile package can make every name expensive. */
  seconds: 60,
  /** Names that their texts ask for, all together. */
  specifiers: 50_000,
})

/** The error for a program that goes beyond one of them. */
export function tooMuch(reason: string): ConfineError {
  return new ConfineError(
    'ERR_CONFINE_LIMIT',
    `Cannot gather the modules of the program: ${reason}. Bundle it into fewer, or smaller, files`,
  )
}
