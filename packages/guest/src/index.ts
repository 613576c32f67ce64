import { fileURLToPath } from 'node:url'

/** Absolute path of the program that runs in the guest process: `entry.ts`, bundled into one file. */
export const guestEntry: string = fileURLToPath(new URL('../dist/entry.cjs', import.meta.url))

export { type ExecRequest, type GuestSettings, guestMethod, guestNotice, hostNotice } from './protocol.ts'
