import { fileURLToPath } from 'node:url'

/** Absolute path of what the guest process begins with: `entry.ts`, bundled into one file. */
export const guestEntry: string = fileURLToPath(new URL('../dist/entry.cjs', import.meta.url))

/** Absolute path of the program that it runs: `program.ts`, bundled into one file. */
export const guestProgram: string = fileURLToPath(new URL('../dist/program.cjs', import.meta.url))

export { type Code, codeMessage } from './read-code.ts'
export { codeOf, type GuestText } from './script.ts'

export { type ExecRequest, type GuestSettings, guestMethod, guestNotice, hostNotice, maxLearnedBytes } from './protocol.ts'
