/** How a program logged. Other methods of `console` come as one of these: `dir`, `table` and `group` as 'log', a failed `assert` as 'error'. */
export const consoleLevels = Object.freeze(['debug', 'info', 'log', 'warn', 'error', 'trace'] as const)

/** One of `consoleLevels`. */
export type ConsoleLevel = (typeof consoleLevels)[number]
