/** How much one program may make the host read. Over any of them it does not start: ERR_CONFINE_LIMIT. */
export const graphLimits = Object.freeze({
  /** Modules of one program. */
  modules: 5000,
  /** Size of one of them. */
  moduleMiB: 12,
  /** Size of all together. */
  totalMiB: 24,
  /** How long it may take; a hostile package can make every name expensive. */
  seconds: 60,
  /** Names that their texts ask for, all together. */
  specifiers: 50_000,
})
